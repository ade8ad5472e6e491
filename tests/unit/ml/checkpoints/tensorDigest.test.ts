/** One pass over real files: the hash against another reading of the bytes, the norm against sums written out. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { digestTensor } from '../../../../main/ml/checkpoints/tensorDigest.ts';
import { encodeFloats } from '../../../../main/ml/safetensors/dtypes.ts';
import { fileBytes } from '../safetensors/fileBytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'rotascope-digest-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** More than two pieces of 4 MB in float32, and no whole number of them. */
const n = 2_500_003;
const values = Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i) * (1 + (i % 7))));
const bytesOf = (array: Float32Array | Float64Array): Uint8Array => new Uint8Array(array.buffer);

async function digestOf(dtype: string, shape: number[], data: Uint8Array) {
  const path = join(folder, `${dtype}-${shape.join('x')}.safetensors`);
  // A header of odd length: the data begin at no multiple of anything.
  const entry = { dtype, shape, data_offsets: [0, data.length] };
  const header = JSON.stringify({ a: entry });
  writeFileSync(path, fileBytes(header.padEnd(header.length + ((header.length + 1) % 2), ' '), data));
  const checkpoint = await openCheckpoint(path);
  const seen: number[] = [];
  const options = { signal: new AbortController().signal, onBytes: (count: number) => void seen.push(count) };
  const digest = await digestTensor(checkpoint, checkpoint.tensors.get('a')!, options);
  await checkpoint.close();
  expect(seen.reduce((sum, count) => sum + count, 0)).toBe(data.length);
  const expected = createHash('sha256')
    .update(`${JSON.stringify([dtype, ...shape])}\n`)
    .update(data)
    .digest('hex');
  expect(digest.hash).toBe(expected);
  return digest;
}

const normOf = (list: Iterable<number>): number => {
  let sum = 0;
  for (const value of list) sum += value * value;
  return Math.sqrt(sum);
};

it('of float32 over several pieces: hash, norm and no odd value', async () => {
  const digest = await digestOf('F32', [n], bytesOf(values));
  expect(digest).toMatchObject({ nan: 0, infinite: 0 });
  expect(Math.abs(digest.norm! / normOf(values) - 1)).toBeLessThan(1e-12);
});

it.each(['F16', 'BF16'] as const)('of %s, its odd values counted and left out of the norm', async (dtype) => {
  const odd = Float32Array.from(values);
  odd[3] = NaN;
  odd[n - 1] = Infinity;
  odd[n - 2] = -Infinity;
  const data = encodeFloats(dtype, odd);
  const digest = await digestOf(dtype, [n], data);
  expect(digest).toMatchObject({ nan: 1, infinite: 2 });
  // Rounding to 16 bits moves the norm by less than a step of the type.
  odd[3] = odd[n - 1] = odd[n - 2] = 0;
  expect(Math.abs(digest.norm! / normOf(odd) - 1)).toBeLessThan(1e-3);
});

it('of float64, of integers without a norm, and of nothing', async () => {
  const doubles = Float64Array.from([3, 4, NaN]);
  expect(await digestOf('F64', [3], bytesOf(doubles))).toMatchObject({ norm: 5, nan: 1, infinite: 0 });
  expect(await digestOf('I8', [4], Uint8Array.from([1, 2, 3, 255]))).toMatchObject({ norm: null, nan: 0 });
  expect(await digestOf('F32', [0, 7], new Uint8Array())).toMatchObject({ norm: 0, nan: 0 });
  expect(await digestOf('F8_E4M3', [3], Uint8Array.from([0x7f, 0xff, 1]))).toMatchObject({ norm: null, nan: 2 });
});

it('stops between two pieces', async () => {
  const path = join(folder, 'stop.safetensors');
  writeFileSync(path, fileBytes({ a: { dtype: 'F32', shape: [n], data_offsets: [0, 4 * n] } }, bytesOf(values)));
  const checkpoint = await openCheckpoint(path);
  const abort = new AbortController();
  const options = { signal: abort.signal, onBytes: () => abort.abort(new Error('enough')) };
  await expect(digestTensor(checkpoint, checkpoint.tensors.get('a')!, options)).rejects.toThrow('enough');
  await checkpoint.close();
});
