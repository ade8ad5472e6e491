/** pass@k against counting every choice of k answers. */
import { expect, test } from 'vitest';
import { passAtK } from '../../../../main/ml/statistics/passAtK.ts';

/** Share of the k-subsets of n answers, the first c of them right, that hold a right one. */
function counted(n: number, c: number, k: number): number {
  let all = 0;
  let some = 0;
  for (let mask = 0; mask < 2 ** n; mask++) {
    const chosen = Array.from({ length: n }, (_, i) => (mask >> i) & 1);
    if (chosen.reduce((sum, one) => sum + one, 0) !== k) continue;
    all++;
    if (chosen.some((one, i) => one === 1 && i < c)) some++;
  }
  return some / all;
}

test('equals the share of all choices of k answers that hold a right one', () => {
  for (let n = 1; n <= 7; n++)
    for (let k = 1; k <= n; k++)
      for (let c = 0; c <= n; c++) expect(passAtK([c], n, k)).toBeCloseTo(counted(n, c, k), 12);
});

test('is averaged over episodes, is accuracy at k = 1 and grows with k', () => {
  expect(passAtK([0, 2, 4], 4, 1)).toBeCloseTo(0.5, 12);
  const values = [1, 2, 3, 4].map((k) => passAtK([0, 1, 3], 4, k));
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(passAtK([1], 1000, 1000)).toBe(1);
  expect(() => passAtK([1], 4, 5)).toThrow(RangeError);
});
