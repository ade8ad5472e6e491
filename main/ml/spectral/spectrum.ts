/** Numbers about one spectrum, and about what a change of the weights did to it. */
import type { Svd } from '../../compute/lapack.ts';
import { Philox } from '../random/philox.ts';
import { factors, type Decomposition } from './decompose.ts';
import { frobeniusNorm, multiply, requireSameShape, subtract, thinSvd } from './linearAlgebra.ts';

/** s_target - s_reference, index by index. */
export function deltaSigma(reference: Svd, target: Svd): Float64Array {
  requireSameShape(reference, target);
  return Float64Array.from(target.s, (s, i) => s - reference.s[i]!);
}

/** What a Gaussian change of the same Frobenius norm does to the singular values: one draw, index by index. */
export function randomChangeDeltaSigma(
  reference: Decomposition,
  changeNorm: number,
  key: (string | number)[],
): Float64Array {
  const { rows, columns, data } = reference.weight;
  const gaussians = Float64Array.from(new Philox('randomChange', ...key).gaussians(data.length));
  const scale = changeNorm / frobeniusNorm(gaussians);
  return thinSvd({ rows, columns, data: data.map((w, i) => w + scale * gaussians[i]!) }).s.map(
    (s, i) => s - reference.s[i]!,
  );
}

export interface EnergySplit {
  /** sum_i (u_i^T dW v_i)^2 / ||dW||_F^2 with the reference's vectors: the share that only moves singular values. */
  valueShare: number;
  /** What a change without direction gives: min(m, n) of mn entries, 1 / max(m, n). */
  valueShareNull: number;
}

/** The share is 0 where nothing changed. */
export function energySplit(reference: Decomposition, target: Decomposition): EnergySplit {
  const change = subtract(target.weight, reference.weight);
  const valueShareNull = 1 / Math.max(change.rows, change.columns);
  const size = frobeniusNorm(change.data);
  if (size === 0) return { valueShare: 0, valueShareNull };
  const { u, vt } = factors(reference);
  const projected = multiply(multiply(u, change, { a: true }), vt, { b: true });
  const diagonal = reference.s.map((_, i) => projected.data[i * projected.columns + i]! / size);
  return { valueShare: diagonal.reduce((sum, x) => sum + x * x, 0), valueShareNull };
}

export interface RestorationAlignment {
  /** cos(W_healed - W_forgot, W_peak - W_forgot); null where one of the two changes is zero. */
  cosine: number | null;
  /** Two standard deviations of the cosine of two random directions, 2 / sqrt(mn). */
  nullBand: number;
}

/** Does the second change undo the first? All three: the data of one matrix, equally long. */
export function restorationAlignment(
  healed: ArrayLike<number>,
  forgot: ArrayLike<number>,
  peak: ArrayLike<number>,
): RestorationAlignment {
  const back = Float64Array.from(healed, (w, i) => w - forgot[i]!);
  const wanted = Float64Array.from(peak, (w, i) => w - forgot[i]!);
  const sizes = frobeniusNorm(back) * frobeniusNorm(wanted);
  const dot = back.reduce((sum, x, i) => sum + x * wanted[i]!, 0);
  return { cosine: sizes === 0 ? null : dot / sizes, nullBand: 2 / Math.sqrt(healed.length) };
}

/** ||W||_F^2 / s_1^2; 0 for the zero matrix. */
export function stableRank(s: ArrayLike<number>): number {
  const largest = s[0] ?? 0;
  return largest === 0 ? 0 : Array.from(s).reduce((sum, x) => sum + (x / largest) ** 2, 0);
}

/** exp of the entropy of s / sum(s) (Roy and Vetterli, "The effective rank", 2007); 0 for the zero matrix. */
export function entropyRank(s: ArrayLike<number>): number {
  const values = Array.from(s);
  const sum = values.reduce((total, x) => total + x, 0);
  if (sum === 0) return 0;
  return Math.exp(values.reduce((entropy, x) => (x === 0 ? entropy : entropy - (x / sum) * Math.log(x / sum)), 0));
}

interface SpectralGap {
  /** min over neighbours of (s_i - s_(i+1)) / s_i, among values above rounding; 1 where there are no neighbours. */
  relative: number;
  /** The upper of the two values, 0 = largest. */
  index: number;
}

/** Where values are close, pairing vectors by index is arbitrary. `epsilon`: rounding of the precision that s has. */
export function smallestGap(s: ArrayLike<number>, epsilon: number = 2 ** -52): SpectralGap {
  const noise = (s[0] ?? 0) * s.length * epsilon;
  const smallest: SpectralGap = { relative: 1, index: 0 };
  for (let i = 0; i + 1 < s.length && s[i]! > noise; i++) {
    const relative = (s[i]! - s[i + 1]!) / s[i]!;
    if (relative < smallest.relative) Object.assign(smallest, { relative, index: i });
  }
  return smallest;
}

export function smallestRelativeGap(s: ArrayLike<number>): number {
  return smallestGap(s).relative;
}

/**
 * Whether a value has moved by more than the distance to a neighbour in the reference: the same index may then name
 * another direction. Values within rounding of zero have no direction of their own and are left out.
 */
export function isPairingUnstable(
  sReference: ArrayLike<number>,
  sTarget: ArrayLike<number>,
  epsilon: number = 2 ** -52,
): boolean {
  const noise = (sReference[0] ?? 0) * sReference.length * epsilon;
  for (let i = 0; i < sReference.length && sReference[i]! > noise; i++) {
    const above = i === 0 ? Infinity : sReference[i - 1]! - sReference[i]!;
    const below = i + 1 === sReference.length ? Infinity : sReference[i]! - sReference[i + 1]!;
    if (Math.abs(sTarget[i]! - sReference[i]!) > Math.min(above, below)) return true;
  }
  return false;
}
