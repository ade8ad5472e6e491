/**
 * Principal components by the SVD of the centred rows, in float64: X - mean = U diag(s) Vt; the components are the first
 * rows of Vt, the variance along one is s^2 / (rows - 1). The largest entry of each component is positive, so that equal
 * data give equal pictures.
 */
import { mapReal, multiply, thinSvdAsync, type Matrix, type MatrixLike } from './linearAlgebra.ts';

export interface PrincipalComponents {
  /** [columns] */
  mean: Float64Array;
  /** [count, columns] */
  components: Matrix;
  /** [count], descending; n - 1. */
  variance: number[];
  /** [count], of the whole variance; 0 where nothing varies. */
  explained: number[];
}

/** Mean of each column: [columns]. */
function columnMeans({ rows, columns, data }: MatrixLike): Float64Array {
  const mean = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j]! += data[i * columns + j]! / rows;
  return mean;
}

const centred = (x: MatrixLike, mean: Float64Array): Matrix => ({
  rows: x.rows,
  columns: x.columns,
  data: mapReal(Float64Array.from(x.data), (value, i) => value - mean[i % x.columns]!),
});

/** @param x [rows, columns], at least `count` of each. @throws NOT_FINITE | SHAPE_MISMATCH */
export async function principalComponents(x: MatrixLike, count: number): Promise<PrincipalComponents> {
  const mean = columnMeans(x);
  const { s, vt } = await thinSvdAsync(centred(x, mean));
  const components: Matrix = { rows: count, columns: x.columns, data: vt.slice(0, count * x.columns) };
  for (let k = 0; k < count; k++) {
    const row = components.data.subarray(k * x.columns, (k + 1) * x.columns);
    const largest = row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    if (largest < 0) row.forEach((value, j) => (row[j] = -value));
  }
  const total = s.reduce((sum, value) => sum + value * value, 0);
  const squares = Array.from(s.subarray(0, count), (value) => value * value);
  return {
    mean,
    components,
    variance: squares.map((square) => square / (x.rows - 1)),
    explained: squares.map((square) => (total === 0 ? 0 : square / total)),
  };
}

/** Rows in the basis: [rows, count]. */
export const project = (x: MatrixLike, { mean, components }: PrincipalComponents): Matrix =>
  multiply(centred(x, mean), components, { b: true });
