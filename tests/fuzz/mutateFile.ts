/** Damaged safetensors files: a seed file changed by a few mutations. Shared by the property test and the long run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileBytes, oneTensor } from '../unit/ml/safetensors/fileBytes.ts';

export const mutationKinds = ['set', 'flip', 'insert', 'remove', 'swap', 'cut', 'shift', 'number'] as const;
export interface Mutation {
  kind: (typeof mutationKinds)[number];
  /** Where, 0..1 of the file's length. */
  at: number;
  byte: number;
  /** 1 .. 12. */
  count: number;
}

/** Characters that a header's meaning hangs on. */
export const headerBytes = [...'{}[]",:\\0123456789-.eE_ntf'].map((character) => character.charCodeAt(0));
/** Numbers at the edges of the checks. */
const numbers = [
  '0',
  '1',
  '2',
  '4',
  '8',
  '15',
  '16',
  '17',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '-1',
  '1.5',
];

/** Header with several types, metadata, nesting of braces in names; 3 tensors. */
const manyTensors = fileBytes(
  {
    __metadata__: { format: 'pt', 'a "quoted" key': '{}' },
    'model.layers.0.self_attn.q_proj.weight': { dtype: 'BF16', shape: [4, 2], data_offsets: [0, 16] },
    constructor: { dtype: 'F32', shape: [], data_offsets: [16, 20] },
    empty: { dtype: 'I64', shape: [0, 7], data_offsets: [20, 20] },
  },
  new Uint8Array(20),
);

/** Right files, and the small ones among the malformed files of this folder. */
export function seedFiles(malformed: string): Buffer[] {
  const small = readdirSync(malformed)
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => readFileSync(join(malformed, name)))
    .filter((bytes) => bytes.length > 0 && bytes.length < 400);
  return [manyTensors, oneTensor(), ...small];
}

export function mutate(file: Buffer, { kind, at, byte, count }: Mutation): Buffer {
  const i = Math.min(file.length - 1, Math.floor(at * file.length));
  if (i < 0) return Buffer.from([byte]);
  const copy = Buffer.from(file);
  switch (kind) {
    case 'set':
      copy[i] = byte;
      return copy;
    case 'flip':
      copy[i]! ^= 1 << (byte & 7);
      return copy;
    case 'insert':
      return Buffer.concat([file.subarray(0, i), Buffer.alloc(count, byte), file.subarray(i)]);
    case 'remove':
      return Buffer.concat([file.subarray(0, i), file.subarray(i + count)]);
    case 'swap':
      copy[i] = file[(i + count) % file.length]!;
      copy[(i + count) % file.length] = file[i]!;
      return copy;
    case 'cut':
      return Buffer.from(file.subarray(0, i));
    case 'shift':
      return shiftOffsets(file, i, (byte & 1 ? 1 : -1) * count);
    case 'number':
      return replaceNumber(file, i, numbers[byte % numbers.length]!);
  }
}

/** Moves one tensor's data as a whole: neighbours then overlap, or leave a gap. */
function shiftOffsets(file: Buffer, near: number, by: number): Buffer {
  const moved = (begin: string, end: string): string => `"data_offsets":[${Number(begin) + by},${Number(end) + by}]`;
  return editHeader(file, near, /"data_offsets":\[(\d+),(\d+)\]/g, ([, begin, end]) => moved(begin!, end!));
}

/** One number of the header becomes another; the length field goes along. */
function replaceNumber(file: Buffer, near: number, by: string): Buffer {
  return editHeader(file, near, /\d+/g, () => by);
}

/** Replaces the match nearest to a position and writes the header's new length. */
function editHeader(file: Buffer, near: number, what: RegExp, by: (match: RegExpExecArray) => string): Buffer {
  if (file.length < 8) return file;
  const length = Number(file.readBigUInt64LE(0));
  if (length > file.length - 8) return file;
  const text = file.toString('latin1', 8, 8 + length);
  const distance = (match: RegExpExecArray): number => Math.abs(match.index - near);
  const match = [...text.matchAll(what)].sort((a, b) => distance(a) - distance(b))[0];
  if (match === undefined) return file;
  const header = text.slice(0, match.index) + by(match) + text.slice(match.index + match[0].length);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([bytes, Buffer.from(header, 'latin1'), file.subarray(8 + length)]);
}
