import { describe, expect, test } from 'vitest';
import { drawn, likeliest, probabilities } from '../../../../main/ml/play/watchedAnswer.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';

const logits = Float32Array.of(0.5, 2, -1, 2, -Infinity, 0);

describe('the choice of a token', () => {
  test('probabilities are the softmax at the temperature, without overflow', () => {
    const total = [0.5, 2, -1, 2, 0].reduce((sum, one) => sum + Math.exp(one / 0.5), 0);
    const found = probabilities(logits, 0.5);
    expect(found[1]).toBeCloseTo(Math.exp(4) / total, 12);
    expect(found[4]).toBe(0);
    expect(probabilities(Float32Array.of(1e4, 1e4), 1)).toEqual(Float64Array.of(0.5, 0.5));
  });

  test('the likeliest come first, and of equal ones the first', () => {
    expect(likeliest(logits, 3)).toEqual([1, 3, 0]);
    expect(likeliest(logits, 1)).toEqual([1]);
    expect(likeliest(logits, 9)).toEqual([1, 3, 0, 5, 2, 4]);
  });

  test('draws have the frequencies of the distribution, and never take what has none', () => {
    const distribution = probabilities(logits, 1);
    const random = new Philox(5, 'draws');
    const n = 20_000;
    const counts = new Array<number>(logits.length).fill(0);
    for (let i = 0; i < n; i += 1) counts[drawn(distribution, random.uniform())]! += 1;
    for (const [id, p] of distribution.entries()) {
      // Five standard deviations.
      expect(Math.abs(counts[id]! / n - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / n));
    }
    expect(drawn(distribution, 1)).toBe(5);
  });
});
