/**
 * The few dense operations that the spectral part needs, row-major, in the precision of their operands: by LAPACK and BLAS
 * where they are installed, else by plain TypeScript (the same results to rounding, much slower above a few hundred rows).
 */
import {
  addProductAsync as lapackAddProductAsync,
  gemm,
  lapackStatus,
  newLike,
  requireFiniteMatrix,
  signFixedQ as lapackSignFixedQ,
  singularValuesAsync as lapackSingularValuesAsync,
  svd,
  svdAsync,
  type RealArray,
  type Strided,
  type Svd,
} from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/spectral.ts';
import { jacobiSvd } from './jacobiSvd.ts';

/** Row-major [rows, columns]. */
export interface Matrix<T extends RealArray = Float64Array> {
  rows: number;
  columns: number;
  data: T;
}

export type MatrixLike = Matrix<RealArray>;
type Shape = Pick<MatrixLike, 'rows' | 'columns'>;

/** In this precision; the data themselves where they have it already. */
export function toPrecision<P extends Precision>({ rows, columns, data }: MatrixLike, precision: P): Matrix<RealOf<P>> {
  const [Wanted] = precision === 'float32' ? [Float32Array] : [Float64Array];
  return { rows, columns, data: (data instanceof Wanted ? data : Wanted.from(data)) as RealOf<P> };
}
export type RealOf<P extends Precision> = P extends 'float32' ? Float32Array : Float64Array;

/** Zeros in this precision. */
export function newReal<P extends Precision>(precision: P, length: number): RealOf<P> {
  return (precision === 'float32' ? new Float32Array(length) : new Float64Array(length)) as RealOf<P>;
}

/** f of every element and its index. */
export function mapReal<T extends RealArray>(data: T, f: (x: number, i: number) => number): T {
  const out = newLike(data, data.length);
  for (let i = 0; i < data.length; i++) out[i] = f(data[i]!, i);
  return out;
}

/** Which implementation the next call uses; recorded with results. */
export function linearAlgebraBackend(): 'openblas' | 'typescript' {
  return lapackStatus().ready ? 'openblas' : 'typescript';
}

/** Thin SVD. @throws NOT_FINITE | SHAPE_MISMATCH */
export function thinSvd<T extends RealArray>({ rows, columns, data }: Matrix<T>): Svd<T> {
  if (!lapackStatus().ready) return plainSvd(data, rows, columns);
  try {
    return svd(data, rows, columns);
  } catch (error) {
    return jacobiInstead(error, data, rows, columns);
  }
}

/** The same off the main thread where LAPACK is there. */
export async function thinSvdAsync<T extends RealArray>({ rows, columns, data }: Matrix<T>): Promise<Svd<T>> {
  if (!lapackStatus().ready) return plainSvd(data, rows, columns);
  try {
    return await svdAsync(data, rows, columns);
  } catch (error) {
    return jacobiInstead(error, data, rows, columns);
  }
}

/** gesdd is known to fail on rare finite matrices; Jacobi does not. */
function jacobiInstead<T extends RealArray>(error: unknown, data: T, rows: number, columns: number): Svd<T> {
  if (error instanceof AppError && error.code === 'COMPUTE_FAILED') return plainSvd(data, rows, columns);
  throw error;
}

/** Singular values alone, descending, off the main thread where LAPACK is there; the contents of `data` are lost. */
export async function singularValuesAsync<T extends RealArray>({ rows, columns, data }: Matrix<T>): Promise<T> {
  if (!lapackStatus().ready) return plainSvd(data, rows, columns).s;
  return lapackSingularValuesAsync(data, rows, columns);
}

/** Computed in float64, given back in the precision of the data. */
export function plainSvd<T extends RealArray>(data: T, rows: number, columns: number): Svd<T> {
  const { rank, u, s, vt } = jacobiSvd(data, rows, columns);
  const like = (values: Float64Array): T => {
    const out = newLike(data, values.length);
    out.set(values);
    return out;
  };
  return { rows, columns, rank, u: like(u), s: like(s), vt: like(vt) };
}

/** op(a) op(b), where op transposes when asked. @throws SHAPE_MISMATCH the inner sizes differ */
export function multiply<T extends RealArray>(
  a: Matrix<T>,
  b: Matrix<T>,
  transpose: { a?: boolean; b?: boolean } = {},
): Matrix<T> {
  const [m, inner] = transpose.a ? [a.columns, a.rows] : [a.rows, a.columns];
  const [innerB, n] = transpose.b ? [b.columns, b.rows] : [b.rows, b.columns];
  if (inner !== innerB)
    throw new AppError('SHAPE_MISMATCH', `A product needs equal inner sizes, not ${inner} and ${innerB}.`);
  const data = lapackStatus().ready
    ? gemm(a.data, b.data, [m, inner, n], transpose)
    : plainProduct(a, b, [m, inner, n], transpose);
  return { rows: m, columns: n, data };
}

function plainProduct<T extends RealArray>(
  a: Matrix<T>,
  b: Matrix<T>,
  [m, inner, n]: [number, number, number],
  transpose: { a?: boolean; b?: boolean },
): T {
  const out = newLike(a.data, m * n);
  const [aRow, aColumn] = transpose.a ? [1, a.columns] : [a.columns, 1];
  const [bRow, bColumn] = transpose.b ? [1, b.columns] : [b.columns, 1];
  for (let i = 0; i < m; i++)
    for (let l = 0; l < inner; l++) {
      const factor = a.data[i * aRow + l * aColumn]!;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) out[i * n + j]! += factor * b.data[l * bRow + j * bColumn]!;
    }
  return out;
}

/**
 * c += alpha op(a) op(b), off the main thread where LAPACK is there; op transposes when asked: op(a) [m, inner],
 * op(b) [inner, n], c [m, n], row-major. a and b may be parts of wider matrices.
 */
export async function addProductAsync<T extends RealArray>(
  c: T,
  alpha: number,
  a: Strided<T>,
  b: Strided<T>,
  [m, inner, n]: [m: number, inner: number, n: number],
): Promise<void> {
  if (lapackStatus().ready) return lapackAddProductAsync(c, alpha, a, b, [m, inner, n]);
  const [aRow, aColumn] = a.transpose ? [1, a.stride] : [a.stride, 1];
  const [bRow, bColumn] = b.transpose ? [1, b.stride] : [b.stride, 1];
  for (let i = 0; i < m; i++)
    for (let l = 0; l < inner; l++) {
      const factor = alpha * a.data[i * aRow + l * aColumn]!;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) c[i * n + j]! += factor * b.data[l * bRow + j * bColumn]!;
    }
}

/** Q [rows, columns] of the thin QR with R's diagonal >= 0; rows >= columns. */
export function signFixedQ<T extends RealArray>(matrix: Matrix<T>): Matrix<T> {
  const { rows, columns, data } = matrix;
  if (lapackStatus().ready) return { rows, columns, data: lapackSignFixedQ(data, rows, columns) };
  requireFiniteMatrix(data, rows, columns);
  return { rows, columns, data: gramSchmidtQ(data, rows, columns) };
}

/** Gram-Schmidt, each column twice; its R has a positive diagonal by construction. */
function gramSchmidtQ<T extends RealArray>(data: T, rows: number, columns: number): T {
  const q = data.slice() as T;
  for (let j = 0; j < columns; j++) {
    for (let pass = 0; pass < 2; pass++)
      for (let p = 0; p < j; p++) {
        let share = 0;
        for (let i = 0; i < rows; i++) share += q[i * columns + p]! * q[i * columns + j]!;
        for (let i = 0; i < rows; i++) q[i * columns + j]! -= share * q[i * columns + p]!;
      }
    let square = 0;
    for (let i = 0; i < rows; i++) square += q[i * columns + j]! ** 2;
    const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let i = 0; i < rows; i++) q[i * columns + j]! *= scale;
  }
  return q;
}

/** a - b. @throws SHAPE_MISMATCH */
export function subtract<T extends RealArray>(a: Matrix<T>, b: Matrix<T>): Matrix<T> {
  requireSameShape(a, b);
  return { ...a, data: mapReal(a.data, (x, i) => x - b.data[i]!) };
}

export function requireSameShape(a: Shape, b: Shape): void {
  if (a.rows === b.rows && a.columns === b.columns) return;
  throw new AppError(
    'SHAPE_MISMATCH',
    `The two checkpoints hold different shapes: [${a.rows}, ${a.columns}] and [${b.rows}, ${b.columns}].`,
    { hint: 'Compare checkpoints of one training run.' },
  );
}

/** Scaled so that 1e-200 and 1e200 neither vanish nor overflow when squared. */
export function frobeniusNorm(data: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** The columns of these indices, in their order. */
export function takeColumns<T extends RealArray>(m: Matrix<T>, indices: readonly number[]): Matrix<T> {
  const columns = indices.length;
  const data = newLike(m.data, m.rows * columns);
  for (let i = 0; i < m.rows; i++)
    for (let column = 0; column < columns; column++)
      data[i * columns + column] = m.data[i * m.columns + indices[column]!]!;
  return { rows: m.rows, columns, data };
}

export function transposed<T extends RealArray>({ rows, columns, data }: Matrix<T>): Matrix<T> {
  const out = newLike(data, data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return { rows: columns, columns: rows, data: out };
}

/** ||Q^T Q - I||_F of the columns of Q. */
export function orthogonalityDefect<T extends RealArray>(q: Matrix<T>): number {
  const gram = multiply(q, q, { a: true });
  for (let i = 0; i < gram.rows; i++) gram.data[i * gram.columns + i]! -= 1;
  return frobeniusNorm(gram.data);
}
