/**
 * Fewer points to draw of long curves, the same picture: of every bucket of neighbouring indices, those where one of the
 * curves is smallest or largest are kept, so that no peak is drawn away. All curves of a panel share the indices: what
 * hovering says of one index is of that index in each.
 */

/** Of a panel of a few hundred pixels: finer than its lines. */
const defaultBuckets = 200;

function extremes(values: ArrayLike<number>, from: number, to: number, kept: Set<number>): void {
  let least = -1;
  let most = -1;
  for (let index = from; index < Math.min(to, values.length); index += 1) {
    const value = values[index]!;
    if (!Number.isFinite(value)) continue;
    if (least < 0 || value < values[least]!) least = index;
    if (most < 0 || value > values[most]!) most = index;
  }
  if (least >= 0) kept.add(least);
  if (most >= 0) kept.add(most);
}

/** @returns ascending indices within `from` .. `to` - 1; both ends are among them, and all where they are few */
export function drawnIndices(
  curves: readonly ArrayLike<number>[],
  from: number,
  to: number,
  buckets = defaultBuckets,
): number[] {
  const count = Math.max(0, to - from);
  if (count <= 2 * buckets) return Array.from({ length: count }, (_, index) => from + index);
  const kept = new Set([from, to - 1]);
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const start = from + Math.floor((bucket * count) / buckets);
    const end = from + Math.floor(((bucket + 1) * count) / buckets);
    for (const values of curves) extremes(values, start, end, kept);
  }
  return [...kept].sort((a, b) => a - b);
}
