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
 * `pairing: 'procrustes'` turns the reference's vectors within blocks of close values first (`alignReference.ts`).
 *
 * The published scripts return the whole reference matrix, values included, once all ranks are selected:
 * `paperCompatible` does that on purpose.
 */
import type { RealArray } from '../../compute/lapack.ts';
import type { Pairing, RankSelection, RevertKind } from '../../contract/sweeps.ts';
import { factors, type Decomposition } from '../spectral/decompose.ts';
import {
  frobeniusNorm,
  mapReal,
  multiply,
  requireSameShape,
  subtract,
  takeColumns,
  type Matrix,
} from '../spectral/linearAlgebra.ts';
import { alignReference } from './alignReference.ts';
import { selectRanks } from './selectRanks.ts';

export interface MatrixReversion {
  revert: RevertKind;
  /** Absent: every rank. */
  ranks?: RankSelection | null | undefined;
  /** Vectors at full rank copy the reference, values included, as the published scripts do. */
  paperCompatible?: boolean | undefined;
  /** How vectors are matched; by index unless given. */
  pairing?: Pairing | undefined;
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
  const aligned = revert === 'singularVectors' && edit.pairing === 'procrustes';
  const vectors = aligned ? alignReference(target, reference) : reference;
  const change = changeOf(target, vectors, revert, selected);
  const weight = {
    ...change,
    data: mapReal(change.data, (x, i) => (x === 0 ? target.weight.data[i]! : target.weight.data[i]! + x)),
  };
  const mixed = revert === 'singularValues' ? [] : selected;
  return { weight, change, selected, orthogonalityDefect: mixedDefect(target, vectors, mixed) };
}

/** W' - W_t as the formulas above say. */
function changeOf<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
  revert: RevertKind,
  selected: number[],
): Matrix<T> {
  if (revert === 'singularValues') return partialSum(target, selected, (i) => reference.s[i]! - target.s[i]!);
  if (revert === 'both' && selected.length === target.rank) return subtract(reference.weight, target.weight);
  const { s } = revert === 'singularVectors' ? target : reference;
  return subtract(
    partialSum(reference, selected, (i) => s[i]!),
    partialSum(target, selected, (i) => target.s[i]!),
  );
}

/** sum over S of value(i) u_i v_i^T. */
function partialSum<T extends RealArray>(
  of: Decomposition<T>,
  selected: number[],
  value: (i: number) => number,
): Matrix<T> {
  const { u, vt } = factors(of);
  const columns = takeColumns(u, selected);
  const scaled = { ...columns, data: mapReal(columns.data, (x, at) => x * value(selected[at % columns.columns]!)) };
  return multiply(scaled, takeRows(vt, selected));
}

/** The rows of these indices; a view where they follow one another. */
function takeRows<T extends RealArray>({ columns, data }: Matrix<T>, indices: readonly number[]): Matrix<T> {
  const rows = indices.length;
  const first = indices[0] ?? 0;
  if (rows === 0 || indices[rows - 1]! - first === rows - 1)
    return { rows, columns, data: data.subarray(first * columns, (first + rows) * columns) as T };
  const out = data.slice(0, rows * columns) as T;
  indices.forEach((index, row) => out.set(data.subarray(index * columns, (index + 1) * columns), row * columns));
  return { rows, columns, data: out };
}

/**
 * How far Q = [reference vectors of S | target vectors of the rest] is from orthonormal, the worse side. Both parts come
 * from an SVD, so that Q^T Q - I is the block of their products, twice, and the rounding of the SVDs themselves.
 */
function mixedDefect<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
  mixed: readonly number[],
): number {
  if (mixed.length === 0) return target.orthogonality;
  if (mixed.length === target.rank) return reference.orthogonality;
  const taken = new Set(mixed);
  const rest = Array.from({ length: target.rank }, (_, i) => i).filter((i) => !taken.has(i));
  const [t, r] = [factors(target), factors(reference)];
  const left = multiply(takeColumns(r.u, mixed), takeColumns(t.u, rest), { a: true });
  const right = multiply(takeRows(r.vt, mixed), takeRows(t.vt, rest), { b: true });
  const mixing = Math.SQRT2 * Math.max(frobeniusNorm(left.data), frobeniusNorm(right.data));
  return Math.hypot(mixing, target.orthogonality, reference.orthogonality);
}
