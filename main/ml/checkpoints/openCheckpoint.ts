/**
 * Opens a Hugging Face checkpoint: one safetensors file, or shards with their index. Tensors are read one at a time.
 */
import type { WeightMap } from '../model/weights.ts';
import type { TensorEntry } from '../safetensors/header.ts';
import { type SafetensorsFile, openSafetensors } from '../safetensors/reader.ts';
import { AppError } from '../../contract/errors.ts';
import { type CheckpointConfig, readConfig } from './configFile.ts';
import { fileOfFolder } from './folderFiles.ts';
import { importFault, printable, someNames } from './importCodes.ts';
import { type CheckpointPlace, isShardName, listFolder, locateCheckpoint } from './locateCheckpoint.ts';
import { type ShardIndex, readShardIndex } from './shardIndex.ts';

export interface CheckpointTensor extends TensorEntry {
  /** Name of the file it lies in. */
  file: string;
}

export interface Checkpoint {
  place: CheckpointPlace;
  /** `config.json` as it is; null when there is none (or it belongs to other weights). */
  config: CheckpointConfig | null;
  hasTokenizer: boolean;
  /** Weight files. */
  files: string[];
  /** Size of the weight files together. */
  bytes: number;
  /** In the order of files and headers. */
  tensors: ReadonlyMap<string, CheckpointTensor>;
  /** What is odd but does not stop an import; whole sentences. */
  warnings: string[];
  /** One tensor as float32, row-major. @throws NOT_FOUND, CHECKPOINT_UNSUPPORTED (not floating point) */
  read(name: string): Promise<Float32Array>;
  /** Stored bytes of one tensor, or a range of them. */
  readBytes(name: string, from?: number, length?: number): Promise<Uint8Array>;
  /** Every tensor as float32: four bytes an element of memory. */
  readAll(): Promise<WeightMap>;
  close(): Promise<void>;
}

/**
 * @param path a folder, an index, a safetensors file or one shard
 * @throws NOT_FOUND, CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE, CHECKPOINT_UNSUPPORTED with an import code
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  return openCheckpointAt(await locateCheckpoint(path));
}

export async function openCheckpointAt(place: CheckpointPlace): Promise<Checkpoint> {
  const index = place.kind === 'sharded' ? await readIndexOf(place) : null;
  const names = index === null ? [place.file] : index.shards;
  const paths = await Promise.all(names.map((name) => shardPath(place, name, index !== null)));
  const config = place.ownsFolder ? await readConfig(place.root) : null;
  const hasTokenizer =
    place.ownsFolder && (await fileOfFolder(place.root, 'tokenizer.json').catch(() => null)) !== null;
  const files = new Map<string, SafetensorsFile>();
  const close = async (): Promise<void> => {
    await Promise.all([...files.values()].map((file) => file.close()));
    files.clear();
  };
  try {
    for (const [i, name] of names.entries()) files.set(name, await openSafetensors(paths[i]!, name));
    const warnings = index === null ? [] : checkIndex(index, files, place.file);
    if (index !== null) warnings.push(...(await unlistedShards(place.root, index)));
    const tensors = index === null ? tensorsOf(files) : indexedTensors(index, files);
    if (place.ownsFolder && config === null) {
      warnings.push(
        'There is no config.json beside the weights: the tensors are listed, but no model can be built. Copy config.json into the folder.',
      );
    }
    const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
    return { ...readers(tensors, files), place, config, hasTokenizer, files: names, bytes, tensors, warnings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readIndexOf(place: CheckpointPlace): Promise<ShardIndex> {
  const path = await fileOfFolder(place.root, place.file);
  if (path === null) throw importFault('not_found', place.file);
  return readShardIndex(path, place.file);
}

async function shardPath(place: CheckpointPlace, name: string, sharded: boolean): Promise<string> {
  const path = await fileOfFolder(place.root, name);
  if (path !== null) return path;
  throw sharded ? importFault('missing_shard', place.file, `"${printable(name)}"`) : importFault('not_found', name);
}

/** Index and shards have to agree. @returns warnings */
function checkIndex(index: ShardIndex, files: ReadonlyMap<string, SafetensorsFile>, indexName: string): string[] {
  const holders = new Map<string, string>();
  const unlisted: string[] = [];
  let dataBytes = 0;
  for (const [shard, file] of files) {
    for (const tensor of file.tensors.values()) {
      const other = holders.get(tensor.name);
      if (other !== undefined) {
        throw importFault('duplicate_tensor', indexName, `"${printable(tensor.name)}" is in ${other} and in ${shard}`);
      }
      holders.set(tensor.name, shard);
      if (!index.weightMap.has(tensor.name)) unlisted.push(tensor.name);
      dataBytes += tensor.end - tensor.begin;
    }
  }
  const absent = [...index.weightMap]
    .filter(([tensor, shard]) => holders.get(tensor) !== shard)
    .map(([tensor]) => tensor);
  if (absent.length > 0) throw importFault('missing_tensor', indexName, someNames(absent));
  const warnings: string[] = [];
  if (unlisted.length > 0) warnings.push(`The index does not list ${someNames(unlisted)}: left out.`);
  if (index.totalSize !== null && index.totalSize !== dataBytes) {
    const sizes = `${index.totalSize.toLocaleString('en')} bytes, the shards hold ${dataBytes.toLocaleString('en')}`;
    warnings.push(`The index says ${sizes}: the shards are what counts.`);
  }
  return warnings;
}

/** Shards that lie beside the index but are not in it. */
async function unlistedShards(root: string, index: ShardIndex): Promise<string[]> {
  const { files } = await listFolder(root);
  const unlisted = files.filter((name) => isShardName(name) && !index.shards.includes(name));
  return unlisted.length > 0 ? [`The index does not list the shard ${someNames(unlisted)}: left out.`] : [];
}

function tensorsOf(files: ReadonlyMap<string, SafetensorsFile>): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, file] of files)
    for (const entry of file.tensors.values()) tensors.set(entry.name, { ...entry, file: name });
  return tensors;
}

function indexedTensors(index: ShardIndex, files: ReadonlyMap<string, SafetensorsFile>): Map<string, CheckpointTensor> {
  return new Map([...tensorsOf(files)].filter(([name]) => index.weightMap.has(name)));
}

function readers(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  files: ReadonlyMap<string, SafetensorsFile>,
): Pick<Checkpoint, 'read' | 'readBytes' | 'readAll'> {
  const fileOf = (name: string): SafetensorsFile => {
    const file = files.get(tensors.get(name)?.file ?? '');
    if (file === undefined) throw new AppError('NOT_FOUND', `The checkpoint holds no tensor "${printable(name)}".`);
    return file;
  };
  const read = async (name: string): Promise<Float32Array> => fileOf(name).read(name);
  return {
    read,
    readBytes: async (name, from, length) => fileOf(name).readBytes(name, from, length),
    readAll: async () => {
      const weights: WeightMap = new Map();
      for (const { name, shape } of tensors.values()) weights.set(name, { shape: [...shape], data: await read(name) });
      return weights;
    },
  };
}
