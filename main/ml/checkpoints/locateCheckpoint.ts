/** Which checkpoint a path means: a folder, an index, a whole file, or one shard, which stands for all of them. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openFault } from '../safetensors/regularFile.ts';
import { fileOfFolder } from './folderFiles.ts';
import { importFault } from './importCodes.ts';
import { readShardIndex } from './shardIndex.ts';

const weightsName = 'model.safetensors';
const indexEnding = '.safetensors.index.json';
const shardName = /-\d{5}-of-\d{5}\.safetensors$/;
const maxFolderEntries = 50_000;

export interface CheckpointPlace {
  /** Opens the same checkpoint again: the folder, or the file when it is one of several in its folder. */
  location: string;
  /** Real path of the folder. */
  root: string;
  /** `sharded`: `file` is the index. */
  kind: 'single' | 'sharded';
  /** File name in `root`. */
  file: string;
  /** Config and tokenizer of the folder belong to these weights. */
  ownsFolder: boolean;
}

/** What a folder holds, as far as checkpoints go. */
export type FolderContents =
  | { kind: 'checkpoint'; place: CheckpointPlace }
  /** Several weight files of which none is the folder's. */
  | { kind: 'files'; places: CheckpointPlace[] }
  | { kind: 'shardsWithoutIndex'; shard: string }
  /** `foreign`: weights in another format. */
  | { kind: 'noWeights'; entries: number; foreign: string | null; hasConfig: boolean };

/**
 * @param path a folder, an index, a safetensors file or a shard
 * @throws NOT_FOUND, CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE with an import code
 */
export async function locateCheckpoint(path: string): Promise<CheckpointPlace> {
  const { real, isFolder } = await lookAt(path);
  if (!isFolder) return locateFile(real);
  const contents = await lookIntoFolder(real);
  switch (contents.kind) {
    case 'checkpoint':
      return contents.place;
    case 'files': {
      const names = contents.places.slice(0, 3).map(({ file }) => file);
      throw importFault('missing_index', path, `it holds ${contents.places.length} weight files (${names.join(', ')})`);
    }
    case 'shardsWithoutIndex':
      throw importFault('missing_index', contents.shard);
    case 'noWeights':
      throw noWeightsFault(path, contents);
  }
}

/** Why a folder without safetensors weights is refused. */
export function noWeightsFault(path: string, contents: Extract<FolderContents, { kind: 'noWeights' }>): Error {
  if (contents.foreign !== null) {
    return importFault(
      'not_safetensors',
      contents.foreign,
      'its format could run code when loaded, or is not supported',
    );
  }
  if (contents.hasConfig) return importFault('missing_weights', path, 'only a configuration');
  return importFault('empty_folder', path, contents.entries === 0 ? 'it is empty' : undefined);
}

/** Real path and kind of what the user named. A link given by the user is followed: it is what they chose. */
export async function lookAt(path: string): Promise<{ real: string; isFolder: boolean }> {
  if (path.includes('\0')) throw importFault('not_found', path);
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    if (!stats.isFile() && !stats.isDirectory()) throw importFault('not_a_file', path);
    return { real, isFolder: stats.isDirectory() };
  } catch (error) {
    throw error instanceof Error && 'hint' in error ? error : openFault(error, path);
  }
}

/** @param file real path of a file */
export async function locateFile(file: string): Promise<CheckpointPlace> {
  const root = dirname(file);
  const name = basename(file);
  if (name.endsWith(indexEnding)) return { location: file, root, kind: 'sharded', file: name, ownsFolder: true };
  if (name === weightsName) return { location: root, root, kind: 'single', file: name, ownsFolder: true };
  const names = await listFolder(root);
  for (const index of names.filter((one) => one.endsWith(indexEnding))) {
    if (await indexNames(root, index, name)) return placeOfIndex(root, index, names);
  }
  if (shardName.test(name)) throw importFault('missing_index', name);
  const alone = weightFiles(names).length === 1 && weightFiles(names)[0] === name;
  return { location: alone ? root : file, root, kind: 'single', file: name, ownsFolder: alone };
}

/** @param root real path of a folder */
export async function lookIntoFolder(root: string): Promise<FolderContents> {
  const names = await listFolder(root);
  const checkpoint = (kind: CheckpointPlace['kind'], file: string): FolderContents => {
    return { kind: 'checkpoint', place: { location: root, root, kind, file, ownsFolder: true } };
  };
  // The order in which transformers looks.
  if (names.includes(weightsName)) return checkpoint('single', weightsName);
  if (names.includes(weightsName + '.index.json')) return checkpoint('sharded', weightsName + '.index.json');
  const indexes = names.filter((name) => name.endsWith(indexEnding));
  if (indexes.length === 1) return checkpoint('sharded', indexes[0]!);
  const weights = weightFiles(names);
  const shard = weights.find((name) => shardName.test(name));
  if (shard !== undefined && indexes.length === 0) return { kind: 'shardsWithoutIndex', shard };
  if (weights.length === 1) return checkpoint('single', weights[0]!);
  if (weights.length > 1) {
    const places = weights.map((file): CheckpointPlace => {
      return { location: join(root, file), root, kind: 'single', file, ownsFolder: false };
    });
    return { kind: 'files', places };
  }
  const foreign = names.find((name) => /\.(bin|pt|pth|ckpt|gguf|ggml|h5|onnx|msgpack|pkl)$/i.test(name)) ?? null;
  return { kind: 'noWeights', entries: names.length, foreign, hasConfig: names.includes('config.json') };
}

const weightFiles = (names: readonly string[]): string[] => names.filter((name) => name.endsWith('.safetensors'));

/** Files and folders by name, sorted, so that the answer does not depend on the file system. */
export async function listFolder(root: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(root);
  } catch (error) {
    throw openFault(error, root);
  }
  if (names.length > maxFolderEntries) throw importFault('too_many_files', root, `${names.length} entries`);
  return names.sort();
}

/** An index that cannot be read does not claim the file. */
async function indexNames(root: string, index: string, file: string): Promise<boolean> {
  try {
    const path = await fileOfFolder(root, index);
    return path !== null && (await readShardIndex(path, index)).shards.includes(file);
  } catch {
    return false;
  }
}

function placeOfIndex(root: string, index: string, names: readonly string[]): CheckpointPlace {
  // A whole model.safetensors beside it would be found first, given the folder.
  const location = names.includes(weightsName) ? join(root, index) : root;
  return { location, root, kind: 'sharded', file: index, ownsFolder: true };
}
