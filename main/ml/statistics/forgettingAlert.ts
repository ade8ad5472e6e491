/**
 * While a run goes on: has OOD accuracy been lost? The best checkpoint so far is chosen on the selection half of the episodes,
 * the drops from it are tested on the reporting half (`forgettingAlertStep`: two checkpoints in a row).
 */
import type { Evaluation } from '../../contract/evaluation.ts';
import { dropFromPeak, forgettingAlertStep, peakOf, type CurvePoint } from './detectors.ts';
import { halfOf, type Half } from './halves.ts';

export type OodScore = Pick<Evaluation['ood'], 'n' | 'correct' | 'outcomes'>;

/**
 * @param curve the checkpoints so far, in step order
 * @returns the step of the alert and its text ("OOD accuracy has dropped at two checkpoints in a row: 12.3 points below
 * step 20 (90 % interval 6.1 to 18.0)."), or null
 */
export function forgettingAlert(
  curve: readonly { step: number; ood: OodScore }[],
): { step: number; text: string } | null {
  if (curve.length === 0) return null;
  const inHalf = (half: Half): CurvePoint[] => curve.map(({ step, ood }) => ({ step, ...halfOf(ood, half) }));
  const reported = inHalf('report');
  const at = (step: number): CurvePoint => reported.find((point) => point.step === step)!;
  const best = at(peakOf(inHalf('select')).step);
  const step = forgettingAlertStep(reported, best);
  if (step === null) return null;
  const { difference, interval } = dropFromPeak(best, at(step));
  const points = (share: number): string => (100 * share).toFixed(1);
  const text =
    `OOD accuracy has dropped at two checkpoints in a row: ${points(difference)} points below step ${best.step} ` +
    `(90 % interval ${points(interval.low)} to ${points(interval.high)}).`;
  return { step, text };
}
