/** The standard normal distribution, to about 1e-14. */

/** P(Z <= z). */
export function normalCdf(z: number): number {
  if (z > 0) return 1 - normalCdf(-z);
  if (z < -38) return 0;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  // the series of the integral from 0 near the middle; far out the continued fraction of Mills' ratio
  if (z > -3) {
    let term = -z;
    let sum = term;
    for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) sum += term *= (z * z) / k;
    return 0.5 - density * sum;
  }
  let fraction = -z;
  for (let k = 60; k > 0; k--) fraction = -z + k / fraction;
  return density / fraction;
}

/** The z with P(Z <= z) = p, 0 < p < 1. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`A quantile needs a probability between 0 and 1, not ${p}`);
  let [low, high] = [-38, 38];
  while (high - low > 1e-13) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The half-width factor of a two-sided interval: 0.95 -> 1.96, 0.9 -> 1.645. */
export function zOfLevel(level: number): number {
  return normalQuantile((1 + level) / 2);
}
