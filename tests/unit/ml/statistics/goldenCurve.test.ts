/** The published LLaMA curve (GeneralPoints, n = 234 per checkpoint, no outcomes public) and what must be said of it. */
import { describe, expect, it } from 'vitest';
import {
  forgettingAlertStep,
  forgettingOnsetPoint,
  forgettingOnsetTested,
  peakOf,
  peakOptimism,
  peakSet,
  recoveryWindow,
} from '../../../../main/ml/statistics/detectors.ts';
import { accuracyDifference } from '../../../../main/ml/statistics/difference.ts';
import { episodesPerArm, wilson } from '../../../../main/ml/statistics/proportions.ts';
import { recoveryShare } from '../../../../main/ml/statistics/recoveryShare.ts';

const n = 234;
const steps = [0, 90, 140, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600];
const sftPercent = [
  0, 13.68, 17.52, 15.81, 16.24, 11.54, 10.68, 11.54, 10.26, 5.98, 5.12, 5.98, 6.92, 4.7, 9.4, 7.69, 8.55, 6.84,
];
const rlPercent = [
  0, 4.27, 8.55, 7.69, 8.12, 10.26, 15.38, 13.25, 14.1, 9.4, 12.39, 11.54, 16.24, 4.7, 6.84, 3.66, 4.12, 4.7,
];
/** Published percentages that are no multiple of 1/n are taken at the nearest count. */
const curve = (percent: number[]) =>
  steps.map((step, i) => ({ step, correct: Math.round((n * percent[i]!) / 100), n }));
const sft = curve(sftPercent);
const rl = curve(rlPercent);
const at = (points: typeof sft, step: number) => points.find((point) => point.step === step)!;

describe('the golden LLaMA curve', () => {
  const peak = peakOf(sft);

  it('has its peak at 140', () => expect(peak.step).toBe(140));

  it('has the peak set 90, 140, 200, 300', () => expect(peakSet(sft, peak)).toEqual([90, 140, 200, 300]));

  it('forgets from 400 on, observed and tested; 700 two-sided; 800 by Holm', () => {
    expect(forgettingOnsetPoint(sft, peak)).toBe(400);
    expect(forgettingOnsetTested(sft, peak)).toBe(400);
    expect(forgettingOnsetTested(sft, peak, 'twoSided')).toBe(700);
    expect(forgettingOnsetTested(sft, peak, 'holm')).toBe(800);
    expect(forgettingAlertStep(sft, peak)).toBe(500);
  });

  it('recovers in 500-1100, crossings 421 and 1200; separated at 900, 1000, 1100 and below at 90-300', () => {
    const { point, tested } = recoveryWindow(
      steps.map((step) => ({ step, start: at(sft, step), healed: at(rl, step) })),
    );
    expect(point.starts).toEqual([500, 600, 700, 800, 900, 1000, 1100]);
    expect(point.crossings.length).toBe(2);
    // one count of 234 is 0.43 points, so that the crossing of the counts is not quite that of the percentages
    expect(Math.abs(point.crossings[0]! - 421)).toBeLessThan(1);
    expect(point.crossings[1]).toBe(1200);
    expect(tested).toEqual({ starts: [900, 1000, 1100], below: [90, 140, 200, 300] });
  });

  it('keeps RL at or below the peak everywhere, not distinguishable at 1100', () => {
    for (const point of rl) expect(point.correct).toBeLessThan(peak.correct);
    const healed = at(rl, 1100);
    expect(accuracyDifference(healed, peak, 'twoSided').separated).toBe(false);
    expect(episodesPerArm(healed, peak)).toBeGreaterThan(13_350);
    expect(episodesPerArm(healed, peak)).toBeLessThan(13_450);
  });

  it('has a peak that was selected: about 2 points too high', () => {
    expect(Math.round(100 * peakOptimism(sft, peak))).toBe(2);
  });

  it('has a recovery share of 88 %, with a wide interval', () => {
    const { value, interval } = recoveryShare({ healed: at(rl, 1100), end: at(sft, 1100), peak }, ['golden'])!;
    expect(Math.round(100 * value)).toBe(88);
    expect(interval.low).toBeGreaterThan(0.2);
    expect(interval.low).toBeLessThan(0.7);
    expect(interval.high).toBeGreaterThan(1.1);
    expect(recoveryShare({ healed: at(rl, 1100), end: at(sft, 300), peak }, ['golden'])).toBeNull();
  });

  it('has the published Wilson intervals', () => {
    const percent = ({ low, high }: { low: number; high: number }) => [low, high].map((x) => Math.round(1000 * x) / 10);
    expect(percent(wilson({ correct: 41, n }))).toEqual([13.2, 22.9]);
    expect(percent(wilson({ correct: 38, n }))).toEqual([12.1, 21.5]);
    expect(percent(wilson({ correct: 46, n }))).toEqual([15.1, 25.2]);
    expect(percent(wilson({ correct: 40, n }))).toEqual([12.8, 22.4]);
  });
});
