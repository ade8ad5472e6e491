/**
 * Wilson score interval of one proportion (E. B. Wilson, JASA 22, 1927). In the contract, because the charts draw
 * what the verdicts test.
 */

/** Standard normal quantile of a two-sided 95 % interval. */
export const z95 = 1.959963984540054;

/**
 * @param correct successes, 0..n
 * @param n trials
 * @param z quantile of the interval wanted
 * @returns [low, high], shares in 0..1; [0, 1] when there is no trial
 */
export function wilsonInterval(correct: number, n: number, z: number = z95): [number, number] {
  if (n <= 0) return [0, 1];
  const share = correct / n;
  const z2 = z * z;
  const centre = share + z2 / (2 * n);
  const half = z * Math.sqrt((share * (1 - share) + z2 / (4 * n)) / n);
  const scale = 1 + z2 / n;
  // Exact at the ends, where rounding would leave 1e-17.
  const low = correct === 0 ? 0 : (centre - half) / scale;
  const high = correct === n ? 1 : (centre + half) / scale;
  return [Math.max(0, low), Math.min(1, high)];
}
