/** The SVD of one weight matrix with what has to be known before it is trusted. */
import type { Svd } from '../../compute/lapack.ts';
import {
  frobeniusNorm,
  multiply,
  orthogonalityDefect,
  subtract,
  thinSvd,
  thinSvdAsync,
  toMatrix,
  transposed,
  type Matrix,
  type MatrixLike,
} from './linearAlgebra.ts';

/** W = u diag(s) vt, thin, float64; rank = min(rows, columns), s descending. */
export interface Decomposition extends Svd<Float64Array> {
  /** The matrix itself, as it was given: what reversion leaves untouched stays bit for bit. */
  weight: Matrix;
  /** ||u diag(s) vt - W||_F / ||W||_F; 0 for the zero matrix. */
  residual: number;
  /** max(||u^T u - I||_F, ||vt vt^T - I||_F). */
  orthogonality: number;
}

/** @throws NOT_FINITE | SHAPE_MISMATCH */
export function decompose(matrix: MatrixLike): Decomposition {
  return withChecks(toMatrix(matrix), thinSvd(matrix));
}

/** The same with the SVD on a thread of its own. */
export async function decomposeAsync(matrix: MatrixLike): Promise<Decomposition> {
  return withChecks(toMatrix(matrix), await thinSvdAsync(matrix));
}

function withChecks(weight: Matrix, svd: Svd<Float64Array>): Decomposition {
  const size = frobeniusNorm(weight.data);
  const { u, vt } = factors(svd);
  const rebuilt = multiply(scaleColumns(u, svd.s), vt);
  const residual = size === 0 ? 0 : frobeniusNorm(subtract(rebuilt, weight).data) / size;
  const orthogonality = Math.max(orthogonalityDefect(u), orthogonalityDefect(transposed(vt)));
  return { ...svd, weight, residual, orthogonality };
}

export function factors({ rows, columns, rank, u, vt }: Svd<Float64Array>): { u: Matrix; vt: Matrix } {
  return { u: { rows, columns: rank, data: u }, vt: { rows: rank, columns, data: vt } };
}

/** m diag(scale): column j times scale[j]. */
export function scaleColumns(m: Matrix, scale: ArrayLike<number>): Matrix {
  return { ...m, data: m.data.map((x, i) => x * scale[i % m.columns]!) };
}
