/**
 * pass@k: the chance that at least one of k independent answers is right, by the unbiased estimator of Chen et al. (2021,
 * "Evaluating large language models trained on code"): 1 - C(n - c, k) / C(n, k) for c right ones among n, averaged.
 */

/**
 * @param right right answers of each episode, 0..n
 * @param n answers of each episode
 * @param k 1..n
 */
export function passAtK(right: readonly number[], n: number, k: number): number {
  if (k < 1 || k > n) throw new RangeError(`pass@${k} of ${n} answers`);
  const sum = right.reduce((total, c) => total + 1 - allWrong(n, c, k), 0);
  return sum / right.length;
}

/** C(n - c, k) / C(n, k) as a product, so that nothing overflows. */
function allWrong(n: number, c: number, k: number): number {
  if (n - c < k) return 0;
  let product = 1;
  for (let i = n - c + 1; i <= n; i++) product *= 1 - k / i;
  return product;
}
