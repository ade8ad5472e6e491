/** `model.safetensors.index.json`: which shard holds which tensor. Nothing in it is trusted, least of all the paths. */
import { JsonFault, JsonReader } from '../safetensors/jsonReader.ts';
import { readTextFile } from './folderFiles.ts';
import { importFault, printable } from './importCodes.ts';

/** The largest published one (256 experts a layer) has 9 MB. */
const maxIndexBytes = 64 * 1024 * 1024;
const maxShards = 2_000;
const maxIndexTensors = 1_000_000;

export interface ShardIndex {
  /** Tensor name -> shard file name, a plain name. */
  weightMap: Map<string, string>;
  /** In the order of first mention. */
  shards: string[];
  /** `metadata.total_size`; null when absent or not a number. */
  totalSize: number | null;
}

/**
 * @param path real path of the index
 * @param name how messages call it
 * @throws CHECKPOINT_INVALID bad_json, bad_index, duplicate_name, path_escape
 */
export async function readShardIndex(path: string, name: string): Promise<ShardIndex> {
  const text = await readTextFile(path, name, maxIndexBytes, 'bad_index');
  try {
    return parseShardIndex(text, name);
  } catch (error) {
    if (error instanceof JsonFault)
      throw importFault(error.duplicate ? 'duplicate_name' : 'bad_json', name, error.message);
    throw error;
  }
}

export function parseShardIndex(text: string, name: string): ShardIndex {
  const reader = new JsonReader(text);
  const fields = new Set<string>();
  let weightMap: Map<string, string> | null = null;
  let totalSize: number | null = null;
  if (reader.peek() !== '{') throw importFault('bad_index', name, 'it is not an object');
  reader.object((field) => {
    if (fields.has(field)) throw importFault('duplicate_name', name, `the field "${printable(field)}"`);
    fields.add(field);
    if (field === 'weight_map') weightMap = readWeightMap(reader, name);
    else {
      const value = reader.value();
      if (field === 'metadata') totalSize = totalSizeOf(value);
    }
  });
  reader.end();
  // TypeScript does not see the assignment inside the callback.
  const found = weightMap as Map<string, string> | null;
  if (found === null) throw importFault('bad_index', name, 'weight_map is missing');
  if (found.size === 0) throw importFault('bad_index', name, 'weight_map is empty');
  const shards = [...new Set(found.values())];
  if (shards.length > maxShards) throw importFault('bad_index', name, `${shards.length} shards`);
  return { weightMap: found, shards, totalSize };
}

function readWeightMap(reader: JsonReader, name: string): Map<string, string> {
  const weightMap = new Map<string, string>();
  // One string a shard, not one a tensor.
  const shards = new Map<string, string>();
  if (reader.peek() !== '{') throw importFault('bad_index', name, 'weight_map is not an object');
  reader.object((tensor) => {
    if (weightMap.has(tensor)) throw importFault('duplicate_name', name, `"${printable(tensor)}"`);
    if (weightMap.size === maxIndexTensors) throw importFault('bad_index', name, `over ${maxIndexTensors} tensors`);
    if (reader.peek() !== '"')
      throw importFault('bad_index', name, `the shard of "${printable(tensor)}" is not a text`);
    const shard = reader.string();
    if (!shards.has(shard)) {
      checkShardName(shard, name);
      shards.set(shard, shard);
    }
    weightMap.set(tensor, shards.get(shard)!);
  });
  return weightMap;
}

/**
 * A shard is a plain file name beside the index. Everything else is refused, whatever it would lead to: folders, drive
 * letters, URLs, percent signs (a traversal once decoded), control characters.
 */
function checkShardName(shard: string, name: string): void {
  const plain =
    /^[^/\\:%?#*"<>|\p{Cc}\p{Cf}]+\.safetensors$/u.test(shard) && !shard.startsWith('.') && shard.length <= 255;
  if (!plain) throw importFault('path_escape', name, `"${printable(shard)}"`);
}

function totalSizeOf(metadata: unknown): number | null {
  const fields = typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : {};
  return typeof fields['total_size'] === 'number' ? fields['total_size'] : null;
}
