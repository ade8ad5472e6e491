import { expect, it } from 'vitest';
import { forgettingAlert, type OodScore } from '../../../../main/ml/statistics/forgettingAlert.ts';

/** 100 episodes a half; the first ones of each half are right. */
const score = (select: number, report: number): OodScore => {
  const half = (right: number): string => '1'.repeat(right).padEnd(100, '0');
  return { n: 200, correct: select + report, outcomes: half(select) + half(report) };
};
const curve = (...points: [number, number][]) =>
  points.map(([select, report], i) => ({ step: 10 * i, ood: score(select, report) }));

it('speaks at the second separated drop in a row, not at the first', () => {
  expect(forgettingAlert(curve([0, 0], [40, 38], [20, 18]))).toBeNull();
  expect(forgettingAlert(curve([0, 0], [40, 38], [20, 18], [41, 37], [20, 18]))).toBeNull();
  const alert = forgettingAlert(curve([0, 0], [40, 38], [20, 18], [18, 16]));
  expect(alert).toMatchObject({ step: 30 });
  // 38 - 16 of 100 on the reporting half
  expect(alert!.text).toContain('22.0 points below step 10');
});

it('takes the best from the selection half and its accuracy from the reporting half', () => {
  // Best on the selection half is step 20, whose reported accuracy is low: nothing has dropped from it.
  expect(forgettingAlert(curve([0, 0], [39, 60], [40, 20], [30, 20], [30, 20]))).toBeNull();
});

it('says nothing of small drops or without checkpoints', () => {
  expect(forgettingAlert([])).toBeNull();
  expect(forgettingAlert(curve([0, 0], [40, 38], [38, 36], [38, 35]))).toBeNull();
});
