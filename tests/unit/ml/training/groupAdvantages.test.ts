import { expect, it } from 'vitest';
import { groupAdvantages } from '../../../../main/ml/training/groupAdvantages.ts';

it('judges an answer against the others to its prompt', () => {
  // By hand: the first group has mean 0.5 and unbiased deviation sqrt(1/3), the second is all alike.
  const advantages = groupAdvantages([1, 0, 1, 0, -0.5, -0.5, -0.5, -0.5], { groupSize: 4, groupScale: 'deviation' });
  const size = 0.5 / (Math.sqrt(1 / 3) + 1e-4);
  expect([...advantages]).toEqual([size, -size, size, -size, 0, 0, 0, 0]);
});

it('is centred in each group, and unscaled in Dr. GRPO', () => {
  const advantages = groupAdvantages([3, 0, 0, 10, 10, 16], { groupSize: 3, groupScale: 'none' });
  expect([...advantages]).toEqual([2, -1, -1, -2, -2, 4]);
});
