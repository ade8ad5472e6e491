import { describe, expect, it } from 'vitest';
import { gemm, lapackStatus, signFixedQ, svd, svdAsync, type RealArray } from '../../../main/compute/lapack.ts';
import { AppError } from '../../../main/contract/errors.ts';
import { Philox } from '../../../main/ml/random/philox.ts';
import { jacobiSvd } from '../../../main/ml/spectral/jacobiSvd.ts';

const shapes: [number, number][] = [
  [1, 1],
  [1, 17],
  [17, 1],
  [7, 7],
  [31, 12],
  [12, 31],
  [96, 64],
];

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** ||u diag(s) vt - a|| entrywise, by plain loops. */
function rebuildError(
  result: { rank: number; u: RealArray; s: RealArray; vt: RealArray },
  a: RealArray,
  columns: number,
): number {
  const { rank, u, s, vt } = result;
  const rebuilt = a.map((_, at) => {
    const i = Math.floor(at / columns);
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += u[i * rank + r]! * s[r]! * vt[r * columns + (at % columns)]!;
    return sum;
  });
  return largestDifference(rebuilt, a);
}

function codeOf(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error('no AppError was thrown');
}

describe.skipIf(!lapackStatus().ready)('LAPACK', () => {
  it('says which library it is', () => {
    expect(lapackStatus()).toMatchObject({ ready: true, reason: null });
    expect(lapackStatus().configuration).toContain('OpenBLAS');
  });

  it.each(shapes)('float64 SVD of [%i, %i] agrees with Jacobi and rebuilds the matrix', (rows, columns) => {
    const a = Float64Array.from(new Philox('lapack', rows, columns).gaussians(rows * columns));
    const before = a.slice();
    const result = svd(a, rows, columns);
    expect(a).toEqual(before);
    const oracle = jacobiSvd(a, rows, columns);
    expect(largestDifference(result.s, oracle.s)).toBeLessThanOrEqual(1e-13 * oracle.s[0]! * Math.sqrt(rows + columns));
    expect(rebuildError(result, a, columns)).toBeLessThanOrEqual(1e-13 * oracle.s[0]!);
    expect(rebuildError(oracle, a, columns)).toBeLessThanOrEqual(1e-13 * oracle.s[0]!);
  });

  it.each(shapes)('float32 SVD of [%i, %i]', (rows, columns) => {
    const a = new Philox('lapack', rows, columns).gaussians(rows * columns);
    const result = svd(a, rows, columns);
    expect(result.u).toBeInstanceOf(Float32Array);
    expect(largestDifference(result.s, jacobiSvd(a, rows, columns).s)).toBeLessThanOrEqual(1e-5 * result.s[0]!);
    expect(rebuildError(result, a, columns)).toBeLessThanOrEqual(1e-5 * result.s[0]!);
  });

  it('gives the same bits on another thread, several at once', async () => {
    const matrices = Array.from({ length: 6 }, (_, i) => new Philox('async', i).gaussians(40 * 30));
    const results = await Promise.all(matrices.map((a) => svdAsync(a, 40, 30)));
    results.forEach((result, i) => expect(result).toEqual(svd(matrices[i]!, 40, 30)));
  });

  it.each([Float32Array, Float64Array])('keeps tiny and huge scales finite (%o)', (Kind) => {
    for (const scale of [1e-30, 1e18]) {
      const a = Kind.from(Array.from(new Philox('scale').gaussians(63), (x) => x * scale));
      const { s } = svd<RealArray>(a, 9, 7);
      expect(s.every(Number.isFinite)).toBe(true);
      expect(s[6]).toBeGreaterThan(0);
      expect(s[0]! / scale).toBeGreaterThan(1);
    }
  });

  it('refuses what is not finite, and says where', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const a = new Float32Array(12);
      a[7] = bad;
      const error = codeOf(() => svd(a, 3, 4));
      expect(error).toMatchObject({ code: 'NOT_FINITE', details: { index: 7, row: 1, column: 3 } });
    }
  });

  it('refuses a shape that is not that of the data', async () => {
    expect(codeOf(() => svd(new Float64Array(6), 2, 4)).code).toBe('SHAPE_MISMATCH');
    expect(codeOf(() => svd(new Float64Array(0), 0, 4)).code).toBe('SHAPE_MISMATCH');
    await expect(svdAsync(new Float64Array(6), 2, 4)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
  });

  it('leaves orthonormal columns as they are in the sign-fixed QR', () => {
    const { u } = svd(Float64Array.from(new Philox('qr').gaussians(20 * 6)), 20, 6);
    expect(largestDifference(signFixedQ(u, 20, 6), u)).toBeLessThanOrEqual(1e-14);
  });

  it('multiplies, with either factor transposed', () => {
    const a = Float64Array.of(1, 2, 3, 4, 5, 6);
    const b = Float64Array.of(1, 0, 2, 0, 1, 3);
    // [[1 2 3] [4 5 6]] times [[1 0] [2 0] [1 3]]; then times the transpose of [[1 0 2] [0 1 3]]; then [3, 2] times [2, 3]
    expect([...gemm(a, b, [2, 3, 2])]).toEqual([8, 9, 20, 18]);
    expect([...gemm(a, b, [2, 3, 2], { b: true })]).toEqual([7, 11, 16, 23]);
    expect([...gemm(a, b, [3, 2, 3], { a: true })]).toEqual([1, 4, 14, 2, 5, 19, 3, 6, 24]);
  });
});
