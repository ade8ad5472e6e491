/**
 * Copies one safetensors file with some of its tensors changed, a few megabytes at a time. In the same type the header and
 * every other byte are those of the source; as F32 the header is written anew and each floating-point tensor widened.
 */
import { open, type FileHandle } from 'node:fs/promises';
import type { RealArray } from '../../compute/lapack.ts';
import { dtypeBits, encodeFloats, isFloatDtype, widenToFloat32, type FloatDtype } from '../safetensors/dtypes.ts';
import { readExactly } from '../safetensors/regularFile.ts';
import type { CheckpointTensor } from './openCheckpoint.ts';

/** Elements that are read, changed and written at once. */
const chunkElements = 2 ** 20;
const lengthBytes = 8;

export interface TensorChange {
  /** The new values of `count` elements from `from` on; `before` are the old ones, widened. */
  values(from: number, count: number, before: Float32Array): RealArray | Promise<RealArray>;
}

/** How much rounding to the stored type took back of a change. */
export interface TensorRounding {
  weight: string;
  dtype: string;
  /** ||round(W') - W'||_F and ||W' - W_t||_F. */
  roundingNorm: number;
  changeNorm: number;
}

export interface ShardCopy {
  /** Real path of the source, and its tensors. */
  path: string;
  name: string;
  tensors: readonly CheckpointTensor[];
  dtype: 'same' | 'F32';
  /** Null where a tensor stays as it is. Asked once a tensor, in the order of the file. */
  change(tensor: CheckpointTensor): Promise<TensorChange | null>;
  signal: AbortSignal;
  /** Bytes of the source that are through. */
  onBytes(count: number): void;
}

/** Type that a tensor gets. */
const writtenDtype = (dtype: string, wanted: ShardCopy['dtype']): string =>
  wanted === 'F32' && isFloatDtype(dtype) ? 'F32' : dtype;

export const writtenBytes = ({ dtype, elements, begin, end }: CheckpointTensor, wanted: ShardCopy['dtype']): number =>
  wanted === 'F32' && isFloatDtype(dtype) ? 4 * elements : end - begin;

/**
 * Creates `to` (it must not exist) and flushes it.
 * @returns the changed tensors, in the order of the file
 */
export async function copyShard(copy: ShardCopy, to: string): Promise<TensorRounding[]> {
  const source = await open(copy.path, 'r');
  try {
    const target = await open(to, 'wx');
    try {
      const roundings = await copyTensors(copy, source, target);
      await target.sync();
      return roundings;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyTensors(copy: ShardCopy, source: FileHandle, target: FileHandle): Promise<TensorRounding[]> {
  const length = Number((await readExactly(source, 0, lengthBytes, copy.name)).readBigUInt64LE(0));
  const header = await readExactly(source, 0, lengthBytes + length, copy.name);
  const tensors = [...copy.tensors].sort((a, b) => a.begin - b.begin);
  await target.writeFile(copy.dtype === 'same' ? header : widenedHeader(header, tensors));
  const roundings: TensorRounding[] = [];
  const start = header.length;
  let at = 0;
  for (const tensor of tensors) {
    // what lies between is of no tensor that counts: kept, so that the offsets hold
    if (copy.dtype === 'same') await copyRange(copy, source, target, start + at, start + tensor.begin);
    const change = await copy.change(tensor);
    const rounding = await copyTensor(copy, { source, start: start + tensor.begin, target }, tensor, change);
    if (rounding) roundings.push(rounding);
    at = tensor.end;
  }
  if (copy.dtype === 'same') await copyRange(copy, source, target, start + at, (await source.stat()).size);
  return roundings;
}

/** The same tensors and metadata, floats as F32. */
function widenedHeader(header: Buffer, tensors: readonly CheckpointTensor[]): Buffer {
  const { __metadata__: metadata } = JSON.parse(header.toString('utf8', lengthBytes)) as { __metadata__?: object };
  let offset = 0;
  const members = tensors.map((tensor) => {
    const end = offset + writtenBytes(tensor, 'F32');
    const entry = { dtype: writtenDtype(tensor.dtype, 'F32'), shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
    return `${JSON.stringify(tensor.name)}:${JSON.stringify(entry)}`;
  });
  if (metadata) members.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${members.join(',')}}`, 'utf8');
  const padded = Buffer.alloc(lengthBytes + Math.ceil(json.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - lengthBytes), 0);
  json.copy(padded, lengthBytes);
  return padded;
}

async function copyRange(
  copy: ShardCopy,
  source: FileHandle,
  target: FileHandle,
  from: number,
  to: number,
): Promise<void> {
  for (let at = from; at < to; at += 4 * chunkElements) {
    copy.signal.throwIfAborted();
    const count = Math.min(4 * chunkElements, to - at);
    await target.writeFile(await readExactly(source, at, count, copy.name));
    copy.onBytes(count);
  }
}

async function copyTensor(
  copy: ShardCopy,
  { source, start, target }: { source: FileHandle; start: number; target: FileHandle },
  { name, dtype, elements, begin, end }: CheckpointTensor,
  change: TensorChange | null,
): Promise<TensorRounding | null> {
  const written = writtenDtype(dtype, copy.dtype);
  if (!isFloatDtype(dtype) || (change === null && written === dtype)) {
    await copyRange(copy, source, target, start, start + end - begin);
    return null;
  }
  const bytes = dtypeBits(dtype)! / 8;
  let [error, moved] = [0, 0];
  for (let from = 0; from < elements; from += chunkElements) {
    copy.signal.throwIfAborted();
    const count = Math.min(chunkElements, elements - from);
    const stored = await readExactly(source, start + from * bytes, count * bytes, copy.name);
    const before = widenToFloat32(dtype, stored);
    const values = change ? await change.values(from, count, before) : before;
    const encoded = encode(written as FloatDtype, values);
    await target.writeFile(encoded);
    if (change) {
      const after = widenToFloat32(written as FloatDtype, encoded);
      error += squaredDistance(written === 'F64' ? values : after, values);
      moved += squaredDistance(values, before);
    }
    copy.onBytes(count * bytes);
  }
  return change && { weight: name, dtype: written, roundingNorm: Math.sqrt(error), changeNorm: Math.sqrt(moved) };
}

/** Little-endian bytes; F16 and BF16 to nearest, ties to even. */
function encode(dtype: FloatDtype, values: RealArray): Uint8Array {
  if (dtype !== 'F64') return encodeFloats(dtype, Float32Array.from(values));
  return new Uint8Array(Float64Array.from(values).buffer);
}

function squaredDistance(a: RealArray, b: RealArray): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
