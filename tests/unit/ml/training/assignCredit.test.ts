import { describe, expect, it } from 'vitest';
import { assignCredit } from '../../../../main/ml/training/assignCredit.ts';

/** Two answers of at most three tokens; the first one ends after two. Worked by hand. */
const answers = {
  rows: 2,
  steps: 3,
  mask: [1, 1, 0, 1, 1, 1],
  rewards: [1, -0.5],
  values: [0.5, 0.25, 9, 0.125, 0.5, 0.25],
  logratios: null,
};
const settings = { gamma: 1, gaeLambda: 1, tokenKlCoef: 0.5, actionUnit: 'token' as const };

describe('credit', () => {
  it('puts the reward at the last valid token and ignores values at padding', () => {
    const { advantages, returns } = assignCredit(answers, settings);
    // lambda = gamma = 1: the advantage is the reward to come minus the value
    expect([...advantages.subarray(0, 2)]).toEqual([0.5, 0.75]);
    expect([...advantages.subarray(3)]).toEqual([-0.625, -1, -0.75]);
    expect([...returns.subarray(3)]).toEqual([-0.5, -0.5, -0.5]);
  });
  it('weighs temporal differences by lambda', () => {
    const { advantages } = assignCredit(answers, { ...settings, gaeLambda: 0 });
    expect([...advantages.subarray(3)]).toEqual([0.375, -0.25, -0.75]);
  });
  it('takes the per-token KL from the rewards of its own tokens, not of padding', () => {
    const logratios = [0.5, -1, 100, 0, 0, 2];
    const { returns } = assignCredit({ ...answers, logratios }, settings);
    expect([...returns.subarray(0, 2)]).toEqual([1 - 0.25 + 0.5, 1 + 0.5]);
    expect([...returns.subarray(3)]).toEqual([-1.5, -1.5, -1.5]);
  });
  it('gives a whole answer one advantage: its reward minus the value of its first position', () => {
    const { advantages, returns } = assignCredit(answers, { ...settings, actionUnit: 'answer' });
    expect([...advantages]).toEqual([0.5, 0.5, 0.5, -0.625, -0.625, -0.625]);
    expect([...returns]).toEqual([1, 1, 1, -0.5, -0.5, -0.5]);
  });
});
