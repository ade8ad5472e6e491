/** Mann and Kendall's test of a monotone trend, exact: whether a curve falls or rises over its checkpoints. */

/**
 * One-sided p-values for at least this many falling (rising) pairs among all orders of the values, which are taken as
 * exchangeable without a trend. Ties count for neither side. 1 for fewer than two values.
 */
export function mannKendall(values: readonly number[]): { pFalling: number; pRising: number } {
  let [falling, rising] = [0, 0];
  for (let i = 0; i < values.length; i++)
    for (let j = i + 1; j < values.length; j++) {
      if (values[j]! < values[i]!) falling++;
      if (values[j]! > values[i]!) rising++;
    }
  const counts = inversionShares(values.length);
  const atLeast = (pairs: number): number =>
    Math.min(
      1,
      counts.slice(pairs).reduce((sum, share) => sum + share, 0),
    );
  return { pFalling: atLeast(falling), pRising: atLeast(rising) };
}

/** Share of the permutations of n values that have i inversions, at index i. */
function inversionShares(n: number): number[] {
  let shares = [1];
  for (let size = 2; size <= n; size++) {
    const next = new Array<number>(shares.length + size - 1).fill(0);
    shares.forEach((share, i) => {
      for (let added = 0; added < size; added++) next[i + added]! += share / size;
    });
    shares = next;
  }
  return shares;
}
