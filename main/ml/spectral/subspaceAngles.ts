/**
 * Principal angles between the leading singular vectors of two decompositions, without copies of the vectors and off the
 * main thread: cosines are the singular values of A^T B, sines those of B - A (A^T B); see `principalAngles.ts`.
 */
import { newLike, type RealArray, type Svd } from '../../compute/lapack.ts';
import { addProductAsync, singularValuesAsync, type Matrix } from './linearAlgebra.ts';
import { anglesFrom, forcedZeroCount, type SubspaceAngles } from './principalAngles.ts';

/** Of the spans of the first `k` columns of u [rows, rank]. */
export async function leftAngles<T extends RealArray>(
  reference: Svd<T>,
  target: Svd<T>,
  k: number,
): Promise<SubspaceAngles> {
  const { rows: d, rank } = reference;
  if (forcedZeroCount(d, k) === k) return noAngles(d, k);
  const [a, b] = [reference.u, target.u];
  const overlap = newLike(a, k * k);
  await addProductAsync(overlap, 1, { data: a, stride: rank, transpose: true }, { data: b, stride: rank }, [k, d, k]);
  const rest = newLike(b, d * k);
  for (let i = 0; i < d; i++) rest.set(b.subarray(i * rank, i * rank + k), i * k);
  await addProductAsync(rest, -1, { data: a, stride: rank }, { data: overlap, stride: k }, [d, k, k]);
  return anglesOf(overlap, { rows: d, columns: k, data: rest }, d);
}

/** Of the spans of the first `k` rows of vt [rank, columns]. */
export async function rightAngles<T extends RealArray>(
  reference: Svd<T>,
  target: Svd<T>,
  k: number,
): Promise<SubspaceAngles> {
  const { columns: d } = reference;
  if (forcedZeroCount(d, k) === k) return noAngles(d, k);
  const [a, b] = [reference.vt, target.vt];
  const overlap = newLike(a, k * k);
  await addProductAsync(overlap, 1, { data: a, stride: d }, { data: b, stride: d, transpose: true }, [k, d, k]);
  const rest = b.slice(0, k * d) as T;
  await addProductAsync(rest, -1, { data: overlap, stride: k, transpose: true }, { data: a, stride: d }, [k, k, d]);
  return anglesOf(overlap, { rows: k, columns: d, data: rest }, d);
}

/** Of a k-dimensional subspace of R^d with itself; of any two where each is the whole space. */
export function noAngles(d: number, k: number): SubspaceAngles {
  const forcedZeros = forcedZeroCount(d, k);
  return { anglesRad: new Float64Array(k), forcedZeros, trivial: forcedZeros === k };
}

/** Both are used up. */
async function anglesOf<T extends RealArray>(overlap: T, rest: Matrix<T>, d: number): Promise<SubspaceAngles> {
  const sines = await singularValuesAsync(rest);
  const k = sines.length;
  const cosines = await singularValuesAsync({ rows: k, columns: k, data: overlap });
  return anglesFrom(cosines, sines, d);
}
