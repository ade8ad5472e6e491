/**
 * What is fuzzed: the checks of a safetensors header and of a shard index, as a file of these bytes would meet them. A target
 * answers with an import code; anything else that happens is a fault.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { AppError } from '../../main/contract/errors.ts';
import { importCodeOf, importFault } from '../../main/ml/checkpoints/importCodes.ts';
import { parseShardIndex, type ShardIndex } from '../../main/ml/checkpoints/shardIndex.ts';
import { dtypeBits } from '../../main/ml/safetensors/dtypes.ts';
import { type SafetensorsHeader, parseHeader } from '../../main/ml/safetensors/header.ts';
import { JsonFault } from '../../main/ml/safetensors/jsonReader.ts';
import { signatureBytes } from '../../main/ml/safetensors/otherFormats.ts';
import { decodeUtf8, headerLength } from '../../main/ml/safetensors/reader.ts';
import { seedFiles } from './mutateFile.ts';

export interface FuzzTarget {
  seeds: Buffer[];
  /** Put into a file at any place. */
  tokens: string[];
  /** The checks that users meet, nothing else: what is timed and measured. */
  read(file: Buffer): unknown;
  /** What was accepted has to hold by another reading. */
  checkAccepted(value: unknown, file: Buffer): void;
}

/** 'accepted' or an import code. @throws whatever is neither */
export function codeOf(error: unknown): string {
  if (!(error instanceof AppError)) throw error;
  const code = importCodeOf(error);
  ok(code !== null, `no import code: ${error.message}`);
  return code;
}

/** The reader's checks, without a file. */
export function checkHeader(file: Buffer): SafetensorsHeader {
  const length = headerLength(file.subarray(0, signatureBytes), file.length, 'x.safetensors');
  const text = decodeUtf8(file.subarray(8, 8 + length), 'x.safetensors');
  return parseHeader(text, file.length - 8 - length, 'x.safetensors');
}

/**
 * JSON.parse as another reading. V8 13.6 (Node 24.21) may take a key with escapes for one that it has read before, `"b\"\\"`
 * for `"b\\\""`: what seems to differ is read again in a context that has read nothing yet.
 */
function compareWithParsed(text: string, compare: (json: unknown) => void): void {
  try {
    compare(JSON.parse(text));
  } catch {
    compare(structuredClone(runInNewContext('JSON.parse(text)', { text })));
  }
}

/** JSON.parse sees the same names, and they tile the data. */
function checkAcceptedHeader({ tensors, metadata }: SafetensorsHeader, file: Buffer): void {
  const length = Number(file.readBigUInt64LE(0));
  compareWithParsed(file.toString('utf8', 8, 8 + length), (json) => {
    const { __metadata__: said, ...entries } = json as Record<string, unknown>;
    deepEqual([...tensors.keys()].sort(), Object.keys(entries).sort());
    deepEqual(Object.fromEntries(metadata), said ?? {});
  });
  let covered = 0;
  for (const { dtype, shape, begin, end } of [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    equal(begin, covered);
    const elements = shape.reduce((product, size) => product * BigInt(size), 1n);
    equal(elements * BigInt(dtypeBits(dtype)!), 8n * BigInt(end - begin));
    covered = end;
  }
  equal(covered, file.length - 8 - length);
}

const hostileTokens = [
  '"__proto__"',
  '"constructor":',
  '\\u0000',
  '\\ud800',
  '18446744073709551616',
  '1e999',
  '-0',
  '[',
  '{"a":',
  '['.repeat(3000),
  ' '.repeat(4000),
  'x'.repeat(4000),
];

export const headerTarget: FuzzTarget = {
  seeds: seedFiles('tests/fixtures/malformed'),
  tokens: [...hostileTokens, '"dtype":"F64"', '"shape":[2,2]', '"data_offsets":[0,16]', '"__metadata__":{},'],
  read: checkHeader,
  checkAccepted: (value, file) => checkAcceptedHeader(value as SafetensorsHeader, file),
};

/** As `readShardIndex` reads a file of these bytes. */
export function checkIndex(file: Buffer): ShardIndex {
  const name = 'model.safetensors.index.json';
  const text = decodeUtf8(file, name);
  try {
    return parseShardIndex(text, name);
  } catch (error) {
    if (error instanceof JsonFault)
      throw importFault(error.duplicate ? 'duplicate_name' : 'bad_json', name, error.message);
    throw error;
  }
}

function checkAcceptedIndex({ weightMap, shards }: ShardIndex, file: Buffer): void {
  compareWithParsed(file.toString('utf8'), (json) => {
    deepEqual(Object.fromEntries(weightMap), (json as { weight_map: unknown }).weight_map);
  });
  deepEqual([...new Set(weightMap.values())], shards);
  ok(weightMap.size > 0);
  // A plain name: nothing that any system takes for a path.
  for (const shard of shards) ok(/^[^./\\:%][^/\\:%]*\.safetensors$/.test(shard), shard);
}

const indexOf = (json: object): Buffer => Buffer.from(JSON.stringify(json, null, 2));
const shard = (number: number): string => `model-0000${number}-of-00003.safetensors`;

export const indexTarget: FuzzTarget = {
  seeds: [
    indexOf({
      metadata: { total_size: 988097824 },
      weight_map: { 'model.embed_tokens.weight': shard(1), 'model.norm.weight': shard(2), 'lm_head.weight': shard(3) },
    }),
    indexOf({ weight_map: { a: shard(1) } }),
    indexOf({ metadata: { nested: [{ deep: [1, null, true, 'x'] }] }, weight_map: { a: shard(1), 'b"\\': shard(1) } }),
  ],
  tokens: [
    ...hostileTokens,
    '../',
    '/etc/passwd',
    'C:\\\\',
    '%2e%2e%2f',
    '"weight_map":{},',
    `"a":"${shard(2)}",`,
    '\\u002e\\u002e\\u002f',
  ],
  read: checkIndex,
  checkAccepted: (value, file) => checkAcceptedIndex(value as ShardIndex, file),
};
