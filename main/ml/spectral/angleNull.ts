/**
 * Principal angles between two independent uniform k-subspaces of R^d: what a curve of angles has to be read against.
 *
 * Small d: the mean of exact draws. Large d: the law that they tend to, at its quantiles. The squared cosines are the
 * eigenvalues of a Jacobi ensemble (Wachter, "The limiting empirical measure of multiple discriminant ratios", 1980); for
 * a = k / d <= 1/2 the angles have the density
 *
 *   sqrt(sin^2 t - c^2) / (pi a sin t),  c = 1 - 2a,  from arcsin(c) = arccos(2 sqrt(a (1 - a))) to 90 degrees,
 *
 * and with sin(phi) = cos(t) / sqrt(1 - c^2) the share of angles below t is
 *
 *   ((pi/2 - phi) - c (pi/2 - arctan(c tan phi))) / (pi a).
 *
 * Where 2k > d, the angles that are not forced to 0 are those of the complements, which have d - k dimensions.
 */
import { forcedZeroCount, randomSubspaceAnglesRad } from './principalAngles.ts';

/** Up to here draws take milliseconds, and the edges of the law are still off by more than a draw's own noise. */
const largestDrawnDimension = 128;
const draws = 16;

/** One shape occurs in every layer. */
const known = new Map<string, Float64Array>();

/** Ascending, [k], forced zeros included. d, k: whole numbers, 1 <= k <= d. */
export function angleNullRad(d: number, k: number, seed: number): Float64Array {
  const drawn = d <= largestDrawnDimension;
  const key = drawn ? `${d} ${k} ${seed}` : `${d} ${k}`;
  let found = known.get(key);
  if (!found) known.set(key, (found = drawn ? randomSubspaceAnglesRad(d, k, draws, seed) : limitAnglesRad(d, k)));
  return found;
}

/** The law of large d, at the middle of each of its k steps. */
export function limitAnglesRad(d: number, k: number): Float64Array {
  const forced = forcedZeroCount(d, k);
  const free = k - forced;
  const angles = new Float64Array(k);
  for (let i = 0; i < free; i++) angles[forced + i] = limitQuantileRad(free / d, (i + 0.5) / free);
  return angles;
}

/** The angle below which this share of them lies; a = k / d in (0, 1/2]. */
function limitQuantileRad(a: number, share: number): number {
  const c = 1 - 2 * a;
  const below = (phi: number): number =>
    (Math.PI / 2 - phi - c * (Math.PI / 2 - Math.atan(c * Math.tan(phi)))) / (Math.PI * a);
  let [low, high] = [0, Math.PI / 2];
  // the share falls as phi grows; 52 halvings leave nothing of the interval
  for (let step = 0; step < 52; step++) {
    const middle = (low + high) / 2;
    if (below(middle) > share) low = middle;
    else high = middle;
  }
  return Math.acos(Math.sqrt(1 - c * c) * Math.sin((low + high) / 2));
}
