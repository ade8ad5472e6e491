/** The gradient of `gatherRows` against its closed form, the sum of the incoming gradients of each row; any backend. */
import { expect } from 'vitest';
import type { Compute } from '../../../main/compute/compute.ts';
import { gatherRows } from '../../../main/compute/gatherRows.ts';
import { noise } from './trainingLoop.ts';

/** @param rows of the table: large ones take another way */
export async function expectGatherGradient(compute: Compute, eager: boolean, rows = 7): Promise<void> {
  const { tf } = compute;
  const width = 5;
  const ids = Int32Array.of(2, 2, rows - 1, 0, 2, rows - 1);
  const scale = noise(ids.length * width, 8);
  const session = compute.openSession({ eager });
  const table = session.variable('table', [rows, width], noise(rows * width, 7));
  const inputs = { ids: { shape: [2, 3], dtype: 'int32' }, scale: { shape: [2, 3, width], dtype: 'float32' } } as const;
  const step = session.compile('gather', inputs as never, ({ ids, scale }) => {
    const loss = () => tf.sum(tf.mul(gatherRows(tf, table, ids!), scale!));
    const { value, grads } = tf.variableGrads(loss as never, [table]);
    return { value, gradient: grads[table.name]!, picked: gatherRows(tf, table, ids!) };
  });
  const { gradient, picked } = await step.run({ ids, scale });
  const expected = new Float64Array(rows * width);
  ids.forEach((id, row) => {
    for (let column = 0; column < width; column++) expected[id * width + column]! += scale[row * width + column]!;
  });
  expect(gradient!.shape).toEqual([rows, width]);
  // Three terms of at most 1 in float32: two roundings of 2^-24 each.
  gradient!.data.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(3e-7));
  const rowsOfTable = await session.read('table');
  expect(picked!.shape).toEqual([2, 3, width]);
  expect(picked!.data.slice(0, width)).toEqual(rowsOfTable.slice(2 * width, 3 * width));
  expect(picked!.data.slice(-width)).toEqual(rowsOfTable.slice((rows - 1) * width));
  session.dispose();
}
