/** TensorFlow's own SVD, here on its CPU kernel: what a GPU computes goes the same way. */
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeStatus } from '../../../main/bootstrap/native.mjs';
import { openCompute, type Compute } from '../../../main/compute/compute.ts';
import { svd } from '../../../main/compute/lapack.ts';
import { tensorflowSvd } from '../../../main/compute/tensorflowSvd.ts';
import { Philox } from '../../../main/ml/random/philox.ts';
import { decompose } from '../../../main/ml/spectral/decompose.ts';
import { expectClose } from '../../parity/compare.ts';

describe.skipIf(!nativeStatus().tensorflow.ready)('the Svd kernel of TensorFlow', () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'tensorflow' });
  });

  it.each([
    [30, 30],
    [12, 50],
    [50, 12],
    [1, 7],
    [7, 1],
  ])('decomposes [%d, %d] as LAPACK does', (rows, columns) => {
    const a = new Philox('tensorflowSvd', rows, columns).gaussians(rows * columns);
    const tensors = compute.tf.memory().numTensors;
    const actual = tensorflowSvd(compute.tf, a, rows, columns);
    expect(compute.tf.memory().numTensors).toBe(tensors);
    const expected = svd(a, rows, columns);
    expect([actual.rows, actual.columns, actual.rank]).toEqual([rows, columns, expected.rank]);
    expectClose('s', actual.s, expected.s, { atol: 1e-5 * expected.s[0]! });
    const rebuilt = Float64Array.from(a, (_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      let sum = 0;
      for (let i = 0; i < actual.rank; i++)
        sum += actual.u[row * actual.rank + i]! * actual.s[i]! * actual.vt[i * columns + column]!;
      return sum;
    });
    expectClose('u diag(s) vt', rebuilt, a, { atol: 1e-5 * expected.s[0]! });
    expect(decompose({ rows, columns: actual.rank, data: actual.u }).s[0]).toBeCloseTo(1, 5);
  });

  it('refuses what is not finite, naming the place', () => {
    const a = Float32Array.of(1, 2, 3, Infinity);
    expect(() => tensorflowSvd(compute.tf, a, 2, 2)).toThrow(/row 1, column 1/);
  });
});
