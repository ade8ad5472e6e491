/** The change between two tensors in files, against sums written out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { TensorChange } from '../../../../main/contract/catalogue.ts';
import { configDiff } from '../../../../main/ml/checkpoints/configDiff.ts';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { tensorChange } from '../../../../main/ml/checkpoints/tensorChange.ts';
import { encodeFloats } from '../../../../main/ml/safetensors/dtypes.ts';
import { fileBytes } from '../safetensors/fileBytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'rotascope-change-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Stored {
  dtype: string;
  shape: number[];
  data: Uint8Array;
}
const bytesOf = (array: Float32Array | Float64Array): Uint8Array => new Uint8Array(array.buffer);

async function changeBetween(a: Stored, b: Stored): Promise<TensorChange> {
  const sides = await Promise.all(
    [a, b].map(async ({ dtype, shape, data }, index) => {
      const path = join(folder, `${index}.safetensors`);
      writeFileSync(path, fileBytes({ a: { dtype, shape, data_offsets: [0, data.length] } }, data));
      const checkpoint = await openCheckpoint(path);
      return { checkpoint, tensor: checkpoint.tensors.get('a')! };
    }),
  );
  const change = await tensorChange(sides[0]!, sides[1]!, { signal: new AbortController().signal });
  await Promise.all(sides.map(({ checkpoint }) => checkpoint.close()));
  return change;
}

/** More than one block, and no whole number of them. */
const n = 1024 * 1024 + 17;
const a = Float32Array.from({ length: n }, (_, i) => Math.fround(1 + Math.sin(i)));

it('of float32 over two blocks', async () => {
  const b = Float32Array.from(a, (value, i) => (i % 4 === 0 ? Math.fround(value + 0.25) : value));
  const change = await changeBetween(
    { dtype: 'F32', shape: [n], data: bytesOf(a) },
    { dtype: 'F32', shape: [n], data: bytesOf(b) },
  );
  let [squares, changes, changed] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    squares += a[i]! ** 2;
    changes += (b[i]! - a[i]!) ** 2;
    changed += b[i] === a[i] ? 0 : 1;
  }
  expect(change.changeNorm! / Math.sqrt(changes) - 1).toBeCloseTo(0, 10);
  expect(change.relativeChange! / Math.sqrt(changes / squares) - 1).toBeCloseTo(0, 10);
  expect(change.changedShare).toBe(changed / n);
});

it('of the same values in two types is what rounding makes', async () => {
  const change = await changeBetween(
    { dtype: 'F32', shape: [n], data: bytesOf(a) },
    { dtype: 'BF16', shape: [n], data: encodeFloats('BF16', a) },
  );
  // bfloat16 keeps 8 bits: a relative step of 2^-8, and half of it as the largest error.
  expect(change.relativeChange).toBeGreaterThan(2 ** -11);
  expect(change.relativeChange).toBeLessThan(2 ** -9);
});

it('has no value where there is none', async () => {
  const f32 = (values: number[]): Stored => ({ dtype: 'F32', shape: [2], data: bytesOf(Float32Array.from(values)) });
  expect(await changeBetween(f32([0, 0]), f32([1, 0]))).toMatchObject({ changeNorm: 1, relativeChange: null });
  expect(await changeBetween(f32([0, NaN]), f32([0, NaN]))).toMatchObject({ changeNorm: 0, relativeChange: 0 });
  expect(await changeBetween(f32([1, NaN]), f32([1, 2]))).toMatchObject({ changeNorm: null, changedShare: 0.5 });
  const ints = (dtype: string, data: number[]): Stored => ({ dtype, shape: [2], data: Uint8Array.from(data) });
  expect(await changeBetween(ints('I16', [1, 0, 2, 0]), ints('I16', [1, 0, 2, 1]))).toMatchObject({
    changeNorm: null,
    changedShare: 0.5,
  });
  expect(await changeBetween(ints('I16', [1, 0, 2, 0]), ints('U8', [1, 2]))).toMatchObject({ changedShare: null });
  expect(await changeBetween(ints('F4', [0x12]), ints('F4', [0x13]))).toMatchObject({ changeNorm: null });
});

it('configurations differ field by field, by path', () => {
  const one = { hidden_size: 64, rope_scaling: { factor: 8, type: 'llama3' }, eos: [1, 2], gone: true };
  const other = { hidden_size: 64, rope_scaling: { factor: 16, type: 'llama3' }, eos: [1, 3], added: null };
  expect(configDiff(one, other)).toEqual([
    { field: 'added', b: null },
    { field: 'eos', a: [1, 2], b: [1, 3] },
    { field: 'gone', a: true },
    { field: 'rope_scaling.factor', a: 8, b: 16 },
  ]);
});
