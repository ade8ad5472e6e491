/**
 * Rows of about the same length together, in few different shapes: every shape is a compiled step. A length is rounded up
 * to one of eight to a doubling, so that a row has at most an eighth of padding more than it needs.
 */
const shortestBucket = 16;
const bucketsPerDoubling = 8;

export interface RowLengths {
  prompt: number;
  answer: number;
}

export interface Bucket extends RowLengths {
  /** Indices of the rows, in the order given. */
  rows: number[];
}

export function bucketLength(tokens: number): number {
  const step = Math.max(shortestBucket, 2 ** Math.floor(Math.log2(Math.max(1, tokens))) / bucketsPerDoubling);
  return Math.max(step, Math.ceil(tokens / step) * step);
}

/**
 * @param rowsAtOnce how many rows of a shape are computed together, at least 1
 * @returns chunks of the buckets, the longest first: what does not fit into memory fails at the beginning
 */
export function lengthBuckets(lengths: readonly RowLengths[], rowsAtOnce: (shape: RowLengths) => number): Bucket[] {
  const byShape = new Map<string, Bucket>();
  lengths.forEach(({ prompt, answer }, row) => {
    const shape = { prompt: bucketLength(prompt), answer: bucketLength(answer) };
    const key = `${shape.prompt} ${shape.answer}`;
    const bucket = byShape.get(key) ?? { ...shape, rows: [] };
    bucket.rows.push(row);
    byShape.set(key, bucket);
  });
  const buckets = [...byShape.values()].sort(
    (a, b) => b.prompt + b.answer - a.prompt - a.answer || b.prompt - a.prompt,
  );
  return buckets.flatMap((bucket) => {
    const atOnce = rowsAtOnce(bucket);
    return Array.from({ length: Math.ceil(bucket.rows.length / atOnce) }, (_, chunk) => ({
      ...bucket,
      rows: bucket.rows.slice(chunk * atOnce, (chunk + 1) * atOnce),
    }));
  });
}

/** Rows of a compiled step for so many wanted ones: a power of two, so that remainders share few steps. */
export const batchSize = (rows: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, rows)));
