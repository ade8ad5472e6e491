/** The recipe's own schedules and rewards, against values worked out by hand from its formulas. */
import { describe, expect, test } from 'vitest';
import { rlSettingsSchema } from '../../../../main/contract/settings.ts';
import { rewardOf } from '../../../../main/ml/training/rollouts.ts';
import { ppoSchedule, pretrainSchedule, sftSchedule } from '../../../../main/ml/training/schedules.ts';

describe('schedules', () => {
  test('pretraining: warm-up times a cosine from 1 to 0.05', () => {
    expect(pretrainSchedule(0, 100, 1000, 0.05)).toBeCloseTo(0.01, 12);
    expect(pretrainSchedule(99, 100, 1000, 0.05)).toBeCloseTo(0.05 + 0.95 * 0.5 * (1 + Math.cos(0.099 * Math.PI)), 12);
    expect(pretrainSchedule(500, 100, 1000, 0.05)).toBeCloseTo(0.525, 12);
    expect(pretrainSchedule(1000, 100, 1000, 0.05)).toBeCloseTo(0.05, 12);
  });

  test('SFT: constant, or a cosine to 0, after its warm-up', () => {
    expect(sftSchedule(0, 'constant', 0, 500)).toBe(1);
    expect(sftSchedule(1, 'constant', 4, 500)).toBe(0.5);
    expect(sftSchedule(250, 'cosine', 0, 500)).toBeCloseTo(0.5, 12);
  });

  test('PPO: full while the critic warms up, then linear, held at a tenth', () => {
    expect([0, 5, 22.5, 39].map((iteration) => ppoSchedule(iteration, 5, 40))).toEqual([1, 1, 0.5, 0.1]);
  });
});

test('the reward is that of the first fault', () => {
  const rewards = { correct: 4, wrongFormula: 3, wrongNumber: 2, badFormat: 1 };
  const verdict = { formatOk: true, numberOk: true, correct: true, ruleSlip: false };
  expect(rewardOf(verdict, rewards)).toBe(4);
  expect(rewardOf({ ...verdict, correct: false }, rewards)).toBe(3);
  expect(rewardOf({ ...verdict, correct: false, numberOk: false }, rewards)).toBe(2);
  expect(rewardOf({ formatOk: false, numberOk: false, correct: false, ruleSlip: true }, rewards)).toBe(1);
  expect(rlSettingsSchema.parse({}).rewards).toEqual({ correct: 1, wrongFormula: 0, wrongNumber: 0, badFormat: -0.5 });
});
