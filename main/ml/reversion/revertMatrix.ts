/**
 * Reversion of one matrix. With W_t = U_t diag(s_t) V_t^T (target) and W_r = U_r diag(s_r) V_r^T (reference), thin, and a
 * set S of ranks:
 *
 *     singularValues    W' = W_t + sum_S (s_r - s_t)_i  u_t,i v_t,i^T          at full rank: U_t diag(s_r) V_t^T
 *     singularVectors   W' = W_t + sum_S s_t,i (u_r,i v_r,i^T - u_t,i v_t,i^T)   at full rank: U_r diag(s_t) V_r^T
 *     both              W' = W_t + sum_S (s_r,i u_r,i v_r,i^T - s_t,i u_t,i v_t,i^T)   at full rank: W_r
 *
 * (Jin, Luan et al., section 4.1.) Ranks outside S keep the target's triplets. Pairs are matched by index, u_i and v_i
 * always from one SVD, so that their common sign cancels. For 0 < |S| < r the mixed vectors are not orthonormal and the
 * singular values of W' are not exactly the intended ones: the defect is returned, nothing is re-orthonormalised.
 *
 * The published scripts return the whole reference matrix, values included, once all ranks are selected:
 * `paperCompatible` does that on purpose.
 */
import { factors, scaleColumns, type Decomposition } from '../spectral/decompose.ts';
import {
  mapReal,
  multiply,
  orthogonalityDefect,
  requireSameShape,
  subtract,
  takeColumns,
  transposed,
  type Matrix,
} from '../spectral/linearAlgebra.ts';
import type { RealArray } from '../../compute/lapack.ts';
import type { RankSelection, RevertKind } from '../../contract/sweeps.ts';
import { selectRanks } from './selectRanks.ts';

export interface MatrixReversion {
  revert: RevertKind;
  /** Absent: every rank. */
  ranks?: RankSelection | null | undefined;
  /** Vectors at full rank copy the reference, values included, as the published scripts do. */
  paperCompatible?: boolean | undefined;
}

export interface RevertedMatrix<T extends RealArray = Float64Array> {
  /** W' [rows, columns]. */
  weight: Matrix<T>;
  /** W' - W_t, before any rounding. */
  change: Matrix<T>;
  /** The reverted ranks, ascending; their number is the effective rank, whatever was asked for. */
  selected: number[];
  /** max over sides of ||Q^T Q - I||_F of the mixed singular vectors. */
  orthogonalityDefect: number;
}

/** @throws SHAPE_MISMATCH */
export function revertMatrix<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
  edit: MatrixReversion,
): RevertedMatrix<T> {
  requireSameShape(target.weight, reference.weight);
  const selected = selectRanks(target.rank, edit.ranks);
  const whole = selected.length === target.rank;
  const revert = edit.paperCompatible && whole && edit.revert === 'singularVectors' ? 'both' : edit.revert;
  const change =
    revert === 'both' && whole
      ? subtract(reference.weight, target.weight)
      : subtract(partialSum(target, reference, revert, selected), partialSum(target, target, 'both', selected));
  const weight = {
    ...change,
    data: mapReal(change.data, (x, i) => (x === 0 ? target.weight.data[i]! : target.weight.data[i]! + x)),
  };
  const mixed = revert === 'singularValues' ? [] : selected;
  return { weight, change, selected, orthogonalityDefect: mixedDefect(target, reference, mixed) };
}

/** sum over S of s_i u_i v_i^T, with values and vectors from where `revert` takes them. */
function partialSum<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
  revert: RevertKind,
  selected: number[],
): Matrix<T> {
  const vectors = factors(revert === 'singularValues' ? target : reference);
  const { s } = revert === 'singularVectors' ? target : reference;
  const u = takeColumns(vectors.u, selected);
  const v = takeColumns(transposed(vectors.vt), selected);
  return multiply(
    scaleColumns(
      u,
      selected.map((i) => s[i]!),
    ),
    v,
    { b: true },
  );
}

/** How far [reference vectors of S | target vectors of the rest] are from orthonormal, the worse side. */
function mixedDefect<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
  mixed: readonly number[],
): number {
  const t = factors(target);
  const r = factors(reference);
  const mix = (from: Matrix<T>, to: Matrix<T>): Matrix<T> => {
    const out = { ...to, data: to.data.slice() as T };
    for (let i = 0; i < to.rows; i++)
      for (const j of mixed) out.data[i * to.columns + j] = from.data[i * to.columns + j]!;
    return out;
  };
  return Math.max(orthogonalityDefect(mix(r.u, t.u)), orthogonalityDefect(mix(transposed(r.vt), transposed(t.vt))));
}
