/** How much of the returns a critic foresees. */

/** 1 - Var(returns - values) / Var(returns) over valid tokens, without centring the residual. */
export function explainedVariance(
  returns: ArrayLike<number>,
  values: ArrayLike<number>,
  mask: ArrayLike<number>,
): number {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < returns.length; i++) {
    count += mask[i]!;
    sum += returns[i]! * mask[i]!;
  }
  let residual = 0;
  let total = 0;
  for (let i = 0; i < returns.length; i++) {
    residual += (returns[i]! - values[i]!) ** 2 * mask[i]!;
    total += (returns[i]! - sum / count) ** 2 * mask[i]!;
  }
  return total === 0 ? 0 : 1 - residual / total;
}
