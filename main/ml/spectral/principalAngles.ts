/**
 * Principal angles between the spans of singular vectors (PABS; Bjorck and Golub, "Numerical methods for computing angles
 * between linear subspaces", 1973), radians, ascending.
 *
 * The paper takes arccos of the singular values of U_ref^T U_tgt, which is blind below sqrt(2 eps) (1.5e-8 rad in float64,
 * 5e-4 in float32). Here small angles come from the sine form, the singular values of (I - A A^T) B.
 *
 * Two k-dimensional subspaces of R^d share max(0, 2k - d) dimensions whatever they are: those angles are 0 by counting
 * ("forced"), and all of them are where k = d ("trivial": each subspace is the whole space).
 */
import { AppError } from '../../contract/errors.ts';
import { Philox } from '../random/philox.ts';
import type { RealArray, Svd } from '../../compute/lapack.ts';
import { factors } from './decompose.ts';
import { multiply, signFixedQ, subtract, takeColumns, thinSvd, transposed, type Matrix } from './linearAlgebra.ts';

export interface SubspaceAngles {
  anglesRad: Float64Array;
  forcedZeros: number;
  /** Every angle is forced: the curve says nothing. */
  trivial: boolean;
}

/** Angles that are 0 for any two k-dimensional subspaces of R^d. */
export function forcedZeroCount(d: number, k: number): number {
  return Math.max(0, 2 * k - d);
}

/** a, b: orthonormal columns [d, k]. @throws SHAPE_MISMATCH */
export function subspaceAngles<T extends RealArray>(a: Matrix<T>, b: Matrix<T>): SubspaceAngles {
  if (a.rows !== b.rows || a.columns !== b.columns)
    throw new AppError(
      'SHAPE_MISMATCH',
      `Angles need two subspaces of one size, not [${a.rows}, ${a.columns}] and [${b.rows}, ${b.columns}].`,
    );
  const overlap = multiply(a, b, { a: true });
  const cosines = thinSvd(overlap).s;
  return anglesFrom(cosines, thinSvd(subtract(b, multiply(a, overlap))).s, a.rows);
}

/** From the singular values, descending [k], of A^T B and of B - A (A^T B), for subspaces of R^d. */
export function anglesFrom(cosines: ArrayLike<number>, sines: ArrayLike<number>, d: number): SubspaceAngles {
  const k = cosines.length;
  const forcedZeros = forcedZeroCount(d, k);
  // cosines descend and sines descend, so the sines are read from their end
  const anglesRad = Float64Array.from({ length: k }, (_, i) => angleOf(cosines[i]!, sines[k - 1 - i]!));
  anglesRad.sort();
  anglesRad.fill(0, 0, forcedZeros);
  return { anglesRad, forcedZeros, trivial: forcedZeros === k };
}

/** Each form where it is well conditioned: arcsin up to 45 degrees, arccos above. */
function angleOf(cosine: number, sine: number): number {
  return cosine * cosine >= 0.5
    ? Math.asin(Math.min(1, Math.max(0, sine)))
    : Math.acos(Math.min(1, Math.max(-1, cosine)));
}

export interface PrincipalAngles {
  rank: number;
  left: SubspaceAngles;
  right: SubspaceAngles;
}

/** Angles between the leading `rank` left and right singular vectors of two matrices; the rank is clamped to 1 .. min(m, n). */
export function principalAnglesRad<T extends RealArray>(
  reference: Svd<T>,
  target: Svd<T>,
  rank: number,
): PrincipalAngles {
  const k = Math.max(1, Math.min(Math.trunc(rank), reference.rank));
  const leading = Array.from({ length: k }, (_, i) => i);
  const a = factors(reference);
  const b = factors(target);
  return {
    rank: k,
    left: subspaceAngles(takeColumns(a.u, leading), takeColumns(b.u, leading)),
    right: subspaceAngles(takeColumns(transposed(a.vt), leading), takeColumns(transposed(b.vt), leading)),
  };
}

/**
 * The null of a curve: the mean, index by index, of the ascending angles between two independent uniform k-subspaces of R^d.
 * One of them may be held fixed at the first k axes, since only their relative position matters.
 */
export function randomSubspaceAnglesRad(d: number, k: number, draws: number, seed: number): Float64Array {
  const mean = new Float64Array(k);
  if (forcedZeroCount(d, k) === k) return mean;
  const axes: Matrix = { rows: d, columns: k, data: new Float64Array(d * k) };
  for (let i = 0; i < k; i++) axes.data[i * k + i] = 1;
  for (let draw = 0; draw < draws; draw++) {
    const gaussians = Float64Array.from(new Philox(seed, 'randomSubspace', d, k, draw).gaussians(d * k));
    const { anglesRad } = subspaceAngles(axes, signFixedQ({ rows: d, columns: k, data: gaussians }));
    for (let i = 0; i < k; i++) mean[i]! += anglesRad[i]! / draws;
  }
  return mean;
}
