/** Which checkpoint a path means: a folder, an index, a whole file, or one shard, which stands for all of them. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openFault } from '../safetensors/regularFile.ts';
import { fileOfFolder } from './folderFiles.ts';
import { importFault } from './importCodes.ts';
import { readShardIndex } from './shardIndex.ts';

const weightsName = 'model.safetensors';
const indexEnding = '.safetensors.index.json';
export const isShardName = (name: string): boolean => /-\d{5}-of-\d{5}\.safetensors$/.test(name);
const foreignWeights = /\.(bin|pt|pth|ckpt|gguf|ggml|h5|onnx|msgpack|pkl)$/i;
/** Files that come with weights: all of a folder's files may be dropped together. */
const companion =
  /^((generation_|tokenizer_|preprocessor_)?config|tokenizer|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(merges\.txt|tokenizer\.model|chat_template\.jinja)$/;
export const isCompanionName = (name: string): boolean => companion.test(name);
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
  | NoWeights;
/** `foreign`: a file with weights in another format. */
export type NoWeights = { kind: 'noWeights'; empty: boolean; foreign: string | null; hasConfig: boolean };

/**
 * @param path a folder, an index, a safetensors file or a shard
 * @throws NOT_FOUND, CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE with an import code
 */
export async function locateCheckpoint(path: string): Promise<CheckpointPlace> {
  const { real, isFolder } = await lookAt(path);
  if (!isFolder) return locateFile(real);
  const contents = contentsOf(real, await listFolder(real));
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
export function noWeightsFault(path: string, contents: NoWeights): Error {
  if (contents.foreign !== null) {
    return importFault(
      'not_safetensors',
      contents.foreign,
      'its format could run code when loaded, or is not supported',
    );
  }
  if (contents.hasConfig) return importFault('missing_weights', path, 'only a configuration');
  return importFault('empty_folder', path, contents.empty ? 'it is empty' : undefined);
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
  if (name === weightsName) return { location: root, root, kind: 'single', file: name, ownsFolder: true };
  const listing = await listFolder(root);
  const { files } = listing;
  if (companion.test(name)) {
    const contents = contentsOf(root, listing);
    if (contents.kind === 'checkpoint') return contents.place;
    if (contents.kind === 'noWeights') throw noWeightsFault(file, contents);
  }
  const indexes = files.filter((one) => one.endsWith(indexEnding));
  if (indexes.includes(name)) return placeOfIndex(root, name, files);
  for (const index of indexes) if (await indexNames(root, index, name)) return placeOfIndex(root, index, files);
  if (isShardName(name)) {
    throw importFault('missing_index', name, indexes.length > 0 ? `${indexes[0]} does not list it` : undefined);
  }
  const alone = weightFiles(files).length === 1 && weightFiles(files)[0] === name;
  return { location: alone ? root : file, root, kind: 'single', file: name, ownsFolder: alone };
}

/** @param root real path of the folder */
export function contentsOf(root: string, { files, folders }: FolderListing): FolderContents {
  const checkpoint = (kind: CheckpointPlace['kind'], file: string): FolderContents => {
    return { kind: 'checkpoint', place: { location: root, root, kind, file, ownsFolder: true } };
  };
  // The order in which transformers looks.
  if (files.includes(weightsName)) return checkpoint('single', weightsName);
  if (files.includes(`${weightsName}.index.json`)) return checkpoint('sharded', `${weightsName}.index.json`);
  const indexes = files.filter((name) => name.endsWith(indexEnding));
  if (indexes.length === 1) return checkpoint('sharded', indexes[0]!);
  const weights = weightFiles(files);
  const shard = weights.find(isShardName);
  if (shard !== undefined && indexes.length === 0) return { kind: 'shardsWithoutIndex', shard };
  if (weights.length === 1) return checkpoint('single', weights[0]!);
  if (weights.length > 1) {
    const places = weights.map((file): CheckpointPlace => {
      return { location: join(root, file), root, kind: 'single', file, ownsFolder: false };
    });
    return { kind: 'files', places };
  }
  const foreign = files.find((name) => foreignWeights.test(name)) ?? null;
  const empty = files.length === 0 && folders.length === 0;
  return { kind: 'noWeights', empty, foreign, hasConfig: files.includes('config.json') };
}

const weightFiles = (names: readonly string[]): string[] => names.filter((name) => name.endsWith('.safetensors'));

export interface FolderListing {
  /** Everything but folders, links included; sorted, so that the answer does not depend on the file system. */
  files: string[];
  /** Folders, without links to folders (they could form a ring). */
  folders: string[];
}

/** @param root real path of a folder */
export async function listFolder(root: string): Promise<FolderListing> {
  let entries: Dirent[];
  try {
    entries = await readdir(root, { withFileTypes: true });
  } catch (error) {
    throw openFault(error, root);
  }
  if (entries.length > maxFolderEntries) throw importFault('too_many_files', root, `${entries.length} entries`);
  const named = (wanted: boolean): string[] => {
    return entries
      .filter((entry) => entry.isDirectory() === wanted)
      .map(({ name }) => name)
      .sort();
  };
  return { files: named(false), folders: named(true) };
}

/** A shard belongs to the index that lists it, and to one that cannot be read, whose fault is then what is said. */
async function indexNames(root: string, index: string, file: string): Promise<boolean> {
  try {
    const path = await fileOfFolder(root, index);
    return path !== null && (await readShardIndex(path, index)).shards.includes(file);
  } catch {
    return isShardName(file);
  }
}

function placeOfIndex(root: string, index: string, files: readonly string[]): CheckpointPlace {
  // The folder, unless something else is found there first.
  const found = contentsOf(root, { files: [...files], folders: [] });
  const location = found.kind === 'checkpoint' && found.place.file === index ? root : join(root, index);
  return { location, root, kind: 'sharded', file: index, ownsFolder: true };
}
