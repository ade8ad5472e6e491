/** The SVD of one weight matrix with what has to be known before it is trusted. */
import type { RealArray, Svd } from '../../compute/lapack.ts';
import type { Precision } from '../../contract/spectral.ts';
import {
  frobeniusNorm,
  mapReal,
  multiply,
  orthogonalityDefect,
  subtract,
  thinSvd,
  thinSvdAsync,
  toPrecision,
  transposed,
  type Matrix,
  type MatrixLike,
  type RealOf,
} from './linearAlgebra.ts';

/** W = u diag(s) vt, thin; rank = min(rows, columns), s descending. */
export interface Factorisation<T extends RealArray = RealArray> extends Svd<T> {
  /** ||u diag(s) vt - W||_F / ||W||_F; 0 for the zero matrix. */
  residual: number;
  /** max(||u^T u - I||_F, ||vt vt^T - I||_F). */
  orthogonality: number;
}

/** Together with the matrix itself, as it was given: what reversion leaves untouched stays bit for bit. */
export interface Decomposition<T extends RealArray = Float64Array> extends Factorisation<T> {
  weight: Matrix<T>;
}

/** @throws NOT_FINITE | SHAPE_MISMATCH */
export function decompose<P extends Precision = 'float64'>(
  matrix: MatrixLike,
  precision: P = 'float64' as P,
): Decomposition<RealOf<P>> {
  const weight = toPrecision(matrix, precision);
  return withChecks(weight, thinSvd(weight));
}

/** The same with the SVD on a thread of its own. */
export async function decomposeAsync<P extends Precision = 'float64'>(
  matrix: MatrixLike,
  precision: P = 'float64' as P,
): Promise<Decomposition<RealOf<P>>> {
  const weight = toPrecision(matrix, precision);
  return withChecks(weight, await thinSvdAsync(weight));
}

function withChecks<T extends RealArray>(weight: Matrix<T>, svd: Svd<T>): Decomposition<T> {
  const size = frobeniusNorm(weight.data);
  const { u, vt } = factors(svd);
  const rebuilt = multiply(scaleColumns(u, svd.s), vt);
  const residual = size === 0 ? 0 : frobeniusNorm(subtract(rebuilt, weight).data) / size;
  const orthogonality = Math.max(orthogonalityDefect(u), orthogonalityDefect(transposed(vt)));
  return { ...svd, weight, residual, orthogonality };
}

export function factors<T extends RealArray>({
  rows,
  columns,
  rank,
  u,
  vt,
}: Svd<T>): {
  u: Matrix<T>;
  vt: Matrix<T>;
} {
  return { u: { rows, columns: rank, data: u }, vt: { rows: rank, columns, data: vt } };
}

/** m diag(scale): column j times scale[j]. */
export function scaleColumns<T extends RealArray>(m: Matrix<T>, scale: ArrayLike<number>): Matrix<T> {
  return { ...m, data: mapReal(m.data, (x, i) => x * scale[i % m.columns]!) };
}
