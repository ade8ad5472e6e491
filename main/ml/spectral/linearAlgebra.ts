/**
 * The few dense operations that the spectral part needs, float64, row-major: by LAPACK and BLAS where they are installed,
 * else by plain TypeScript (the same results to rounding, much slower above a few hundred rows).
 */
import {
  gemm,
  lapackStatus,
  requireFiniteMatrix,
  signFixedQ as lapackSignFixedQ,
  svd,
  svdAsync,
  type Svd,
} from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import { jacobiSvd } from './jacobiSvd.ts';

/** Row-major float64 [rows, columns]. */
export interface Matrix {
  rows: number;
  columns: number;
  data: Float64Array;
}

export type MatrixLike = { rows: number; columns: number; data: Float32Array | Float64Array };

export function toMatrix({ rows, columns, data }: MatrixLike): Matrix {
  return { rows, columns, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

/** Which implementation the next call uses; recorded with results. */
export function linearAlgebraBackend(): 'openblas' | 'typescript' {
  return lapackStatus().ready ? 'openblas' : 'typescript';
}

/** Thin SVD in float64. @throws NOT_FINITE | SHAPE_MISMATCH */
export function thinSvd(matrix: MatrixLike): Svd<Float64Array> {
  const { rows, columns, data } = toMatrix(matrix);
  if (!lapackStatus().ready) return jacobiSvd(data, rows, columns);
  try {
    return svd(data, rows, columns);
  } catch (error) {
    return jacobiInstead(error, data, rows, columns);
  }
}

/** The same off the main thread where LAPACK is there. */
export async function thinSvdAsync(matrix: MatrixLike): Promise<Svd<Float64Array>> {
  const { rows, columns, data } = toMatrix(matrix);
  if (!lapackStatus().ready) return jacobiSvd(data, rows, columns);
  try {
    return await svdAsync(data, rows, columns);
  } catch (error) {
    return jacobiInstead(error, data, rows, columns);
  }
}

/** gesdd is known to fail on rare finite matrices; Jacobi does not. */
function jacobiInstead(error: unknown, data: Float64Array, rows: number, columns: number): Svd<Float64Array> {
  if (error instanceof AppError && error.code === 'COMPUTE_FAILED') return jacobiSvd(data, rows, columns);
  throw error;
}

/** op(a) op(b), where op transposes when asked. @throws SHAPE_MISMATCH the inner sizes differ */
export function multiply(a: Matrix, b: Matrix, transpose: { a?: boolean; b?: boolean } = {}): Matrix {
  const [m, inner] = transpose.a ? [a.columns, a.rows] : [a.rows, a.columns];
  const [innerB, n] = transpose.b ? [b.columns, b.rows] : [b.rows, b.columns];
  if (inner !== innerB)
    throw new AppError('SHAPE_MISMATCH', `A product needs equal inner sizes, not ${inner} and ${innerB}.`);
  const data = lapackStatus().ready
    ? gemm(a.data, b.data, [m, inner, n], transpose)
    : plainProduct(a, b, [m, inner, n], transpose);
  return { rows: m, columns: n, data };
}

function plainProduct(
  a: Matrix,
  b: Matrix,
  [m, inner, n]: [number, number, number],
  transpose: { a?: boolean; b?: boolean },
): Float64Array {
  const out = new Float64Array(m * n);
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

/** Q [rows, columns] of the thin QR with R's diagonal >= 0; rows >= columns. */
export function signFixedQ(matrix: Matrix): Matrix {
  const { rows, columns, data } = matrix;
  if (lapackStatus().ready) return { rows, columns, data: lapackSignFixedQ(data, rows, columns) };
  requireFiniteMatrix(data, rows, columns);
  return { rows, columns, data: gramSchmidtQ(data, rows, columns) };
}

/** Gram-Schmidt, each column twice; its R has a positive diagonal by construction. */
function gramSchmidtQ(data: Float64Array, rows: number, columns: number): Float64Array {
  const q = data.slice();
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
export function subtract(a: Matrix, b: Matrix): Matrix {
  requireSameShape(a, b);
  return { ...a, data: a.data.map((x, i) => x - b.data[i]!) };
}

export function requireSameShape(a: MatrixLike, b: MatrixLike): void {
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
export function takeColumns(m: Matrix, indices: readonly number[]): Matrix {
  const out: Matrix = { rows: m.rows, columns: indices.length, data: new Float64Array(m.rows * indices.length) };
  for (let i = 0; i < m.rows; i++)
    indices.forEach((j, column) => (out.data[i * out.columns + column] = m.data[i * m.columns + j]!));
  return out;
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return { rows: columns, columns: rows, data: out };
}

/** ||Q^T Q - I||_F of the columns of Q. */
export function orthogonalityDefect(q: Matrix): number {
  const gram = multiply(q, q, { a: true });
  for (let i = 0; i < gram.rows; i++) gram.data[i * gram.columns + i]! -= 1;
  return frobeniusNorm(gram.data);
}
