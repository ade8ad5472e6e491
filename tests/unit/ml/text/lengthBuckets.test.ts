/** Buckets hold every row once, are long enough, waste little and are few. */
import { expect, test } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { bucketLength, lengthBuckets } from '../../../../main/ml/text/lengthBuckets.ts';

test('a length has at most an eighth more, sixteen at least, and there are few of them', () => {
  const seen = new Set<number>();
  for (let tokens = 1; tokens <= 4096; tokens++) {
    const bucket = bucketLength(tokens);
    seen.add(bucket);
    expect(bucket).toBeGreaterThanOrEqual(tokens);
    expect(bucket - tokens).toBeLessThan(Math.max(16, tokens / 8));
    expect(bucketLength(bucket)).toBe(bucket);
  }
  expect(seen.size).toBeLessThanOrEqual(8 + 8 * 5);
});

test('every row is in one chunk that it fits into, and chunks keep to their size', () => {
  const random = new Philox('buckets');
  const lengths = Array.from({ length: 200 }, () => ({ prompt: 1 + random.int(300), answer: 1 + random.int(90) }));
  const buckets = lengthBuckets(lengths, ({ prompt }) => (prompt > 100 ? 4 : 7));
  expect(buckets.flatMap(({ rows }) => rows).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
  for (const { rows, prompt, answer } of buckets) {
    expect(rows.length).toBeLessThanOrEqual(prompt > 100 ? 4 : 7);
    for (const row of rows) {
      expect(lengths[row]!.prompt).toBeLessThanOrEqual(prompt);
      expect(lengths[row]!.answer).toBeLessThanOrEqual(answer);
    }
  }
});
