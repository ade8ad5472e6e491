/**
 * Procrustes pairing: the reference's singular vectors turned, within blocks of ranks that the index cannot tell apart, so
 * that they lie as close to the target's as an orthogonal turn allows.
 *
 * *Blocks.* Neighbouring ranks i and i + 1 belong to one block when, in either checkpoint, the gap between their values is
 * no larger than the move of one of the two values between the checkpoints, or than rounding: there the order of the values
 * does not say which direction became which. Everywhere else a block is one rank, and pairing is by index.
 *
 * *Turn.* In a block B, one R for both sides, so that u_i and v_i stay one triplet's:
 *
 *     R = argmin ||U_r,B R - U_t,B||^2 + ||V_r,B R - V_t,B||^2 = polar(U_r,B^T U_t,B + V_r,B^T V_t,B)
 *
 * and column j of (U_r,B R, V_r,B R) is then paired with rank j of the target, whose value s_t,j it takes. A block of one
 * rank turns by +-1, which cancels in u v^T. Signs, and rotations of the reference within equal values, are part of R
 * and cancel; so at full rank the reversion is as well defined as the target's own vectors are. (A block of zeros is defined
 * up to its left and right null spaces, which no common turn can fix: its values weigh next to nothing.) Values are
 * always paired by index, and `both` copies the reference's own triplets: neither needs this.
 */
import type { RealArray } from '../../compute/lapack.ts';
import { factors, type Decomposition } from '../spectral/decompose.ts';
import { multiply, takeColumns, thinSvd, type Matrix } from '../spectral/linearAlgebra.ts';

/** Values closer than this share of the largest are equal in that precision: a few hundred roundings. */
const equalShare = (s: RealArray): number => (s instanceof Float32Array ? 1e-5 : 1e-12);

/** Consecutive ranks [from, to) that cannot be told apart by index; they cover every rank. */
export function pairingBlocks(target: RealArray, reference: RealArray): [from: number, to: number][] {
  const rounding = equalShare(target) * Math.max(target[0] ?? 0, reference[0] ?? 0);
  const moved = (i: number): number => Math.abs(target[i]! - reference[i]!);
  const together = (i: number): boolean => {
    const gap = Math.min(target[i]! - target[i + 1]!, reference[i]! - reference[i + 1]!);
    return gap <= Math.max(rounding, moved(i), moved(i + 1));
  };
  const blocks: [number, number][] = [];
  for (let from = 0, i = 0; i < target.length; i++) {
    if (i + 1 < target.length && together(i)) continue;
    blocks.push([from, i + 1]);
    from = i + 1;
  }
  return blocks;
}

/** Sweeps align the same pair at every point. */
const known = new WeakMap<object, { target: object; aligned: object }>();

/** The reference with its vectors turned; its values and its matrix are as they were. */
export function alignReference<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
): Decomposition<T> {
  const before = known.get(reference);
  if (before?.target === target) return before.aligned as Decomposition<T>;
  const aligned = align(target, reference);
  known.set(reference, { target, aligned });
  return aligned;
}

function align<T extends RealArray>(target: Decomposition<T>, reference: Decomposition<T>): Decomposition<T> {
  const t = factors(target);
  const r = factors(reference);
  const u = { ...r.u, data: r.u.data.slice() as T };
  const vt = { ...r.vt, data: r.vt.data.slice() as T };
  for (const [from, to] of pairingBlocks(target.s, reference.s)) {
    if (to - from === 1) continue;
    const block = Array.from({ length: to - from }, (_, i) => from + i);
    const [rU, tU] = [takeColumns(r.u, block), takeColumns(t.u, block)];
    const [rVt, tVt] = [rowsOf(r.vt, from, to), rowsOf(t.vt, from, to)];
    const turn = polar(sum(multiply(rU, tU, { a: true }), multiply(rVt, tVt, { b: true })));
    putColumns(u, multiply(rU, turn), from);
    vt.data.set(multiply(turn, rVt, { a: true }).data, from * vt.columns);
  }
  return { ...reference, u: u.data, vt: vt.data };
}

/** The orthogonal matrix nearest to a square m. */
function polar<T extends RealArray>(m: Matrix<T>): Matrix<T> {
  const { u, vt } = factors(thinSvd(m));
  return multiply(u, vt);
}

function sum<T extends RealArray>(a: Matrix<T>, b: Matrix<T>): Matrix<T> {
  const data = a.data.slice() as T;
  for (let i = 0; i < data.length; i++) data[i]! += b.data[i]!;
  return { ...a, data };
}

const rowsOf = <T extends RealArray>({ columns, data }: Matrix<T>, from: number, to: number): Matrix<T> => {
  return { rows: to - from, columns, data: data.subarray(from * columns, to * columns) as T };
};

function putColumns<T extends RealArray>(into: Matrix<T>, part: Matrix<T>, at: number): void {
  for (let i = 0; i < part.rows; i++)
    into.data.set(part.data.subarray(i * part.columns, (i + 1) * part.columns), i * into.columns + at);
}
