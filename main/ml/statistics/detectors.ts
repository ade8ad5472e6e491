/**
 * Detectors over a curve of OOD accuracy per checkpoint. Each has a point form (what was observed) and a tested form (what
 * the episodes separate). The rules, with the choices that the definitions leave open:
 *
 * - peak: the largest accuracy, the earliest of ties.
 * - peak set: the steps, the peak among them, whose drop from the peak is not separated (one-sided 5 %).
 * - onset, point: the first step after the peak from which every value is at most 0.8 x peak.
 * - onset, tested: the first step after the peak from which every drop is separated. One-sided 5 % per step by default;
 *   `twoSided` and `holm` are stricter. Holm's family is all steps after the peak, with one-sided p-values.
 * - recovery window, point: the longest run of start points with RL above its start (the earliest of ties), with the
 *   crossings of RL - SFT by linear interpolation between neighbouring starts.
 * - recovery window, tested: that RL lifts its start is the claim, so it is tested one-sided at 5 %. A start that RL
 *   *lowers* is not predicted by it and has to pass the two-sided 5 % (the 95 % interval below 0): at the one-sided level
 *   two of the 18 starts of the published curve (1400 and 1500, 4 points each) would count too.
 */
import type { Difference } from '../../contract/studyResult.ts';
import { accuracyDifference, type Accuracy } from './difference.ts';
import { holm, share } from './proportions.ts';

export interface CurvePoint extends Accuracy {
  step: number;
}

/** A value at or below this share of the peak is forgotten. */
export const FORGOTTEN_SHARE = 0.8;

/** @throws RangeError an empty curve */
export function peakOf<T extends CurvePoint>(curve: readonly T[]): T {
  const first = curve[0];
  if (!first) throw new RangeError('A peak needs at least one checkpoint');
  return curve.reduce((best, point) => (share(point) > share(best) ? point : best), first);
}

/** peak - point, one-sided: "the point has dropped". */
export function dropFromPeak(peak: Accuracy, point: Accuracy): Difference {
  return accuracyDifference(peak, point, 'greater');
}

/** Steps that cannot be told from the peak, in the order of the curve. */
export function peakSet(curve: readonly CurvePoint[], peak: CurvePoint): number[] {
  return curve.filter((point) => !dropFromPeak(peak, point).separated).map((point) => point.step);
}

export function forgettingOnsetPoint(curve: readonly CurvePoint[], peak: CurvePoint): number | null {
  const after = curve.filter((point) => point.step > peak.step);
  const forgotten = after.map((point) => share(point) <= FORGOTTEN_SHARE * share(peak));
  return share(peak) === 0 ? null : firstOfTail(after, forgotten);
}

export type OnsetTest = 'oneSided' | 'twoSided' | 'holm';

export function forgettingOnsetTested(
  curve: readonly CurvePoint[],
  peak: CurvePoint,
  test: OnsetTest = 'oneSided',
): number | null {
  const after = curve.filter((point) => point.step > peak.step);
  if (test === 'holm') return firstOfTail(after, holm(after.map((point) => dropFromPeak(peak, point).pValue)));
  const dropped = after.map((point) => {
    if (test === 'oneSided') return dropFromPeak(peak, point).separated;
    const { difference, separated } = accuracyDifference(peak, point, 'twoSided');
    return separated && difference > 0;
  });
  return firstOfTail(after, dropped);
}

/** The first step from which all flags hold to the end; null where the last one does not. */
function firstOfTail(points: readonly CurvePoint[], flags: readonly boolean[]): number | null {
  const lastFalse = flags.lastIndexOf(false);
  return points[lastFalse + 1]?.step ?? null;
}

/**
 * Where a live alert may speak up: the second of two consecutive steps after the peak that are separated from it, since
 * looking again and again finds single ones by chance.
 */
export function forgettingAlertStep(curve: readonly CurvePoint[], peak: CurvePoint): number | null {
  const after = curve.filter((point) => point.step > peak.step);
  const dropped = after.map((point) => dropFromPeak(peak, point).separated);
  return after.find((_, i) => i > 0 && dropped[i] && dropped[i - 1])?.step ?? null;
}

/** One RL run: its start on the SFT curve, and what it became. */
export interface RecoveryStart {
  step: number;
  start: Accuracy;
  healed: Accuracy;
}

export interface RecoveryWindow {
  point: { starts: number[]; crossings: number[] };
  tested: { starts: number[]; below: number[] };
}

/** @param runs in the order of their steps */
export function recoveryWindow(runs: readonly RecoveryStart[]): RecoveryWindow {
  const gains = runs.map(({ start, healed }) => share(healed) - share(start));
  let best = { from: 0, length: 0 };
  for (let from = 0; from < runs.length; from++) {
    let length = 0;
    while (from + length < runs.length && gains[from + length]! > 0) length++;
    if (length > best.length) best = { from, length };
  }
  const { from, length } = best;
  const crossings = length === 0 ? [] : [crossing(runs, gains, from - 1), crossing(runs, gains, from + length - 1)];
  return {
    point: {
      starts: runs.slice(from, from + length).map(({ step }) => step),
      crossings: crossings.filter((step) => step !== null),
    },
    tested: {
      starts: runs
        .filter(({ start, healed }) => accuracyDifference(healed, start, 'greater').separated)
        .map(({ step }) => step),
      below: runs.filter(({ start, healed }) => separatedBelow(healed, start)).map(({ step }) => step),
    },
  };
}

function separatedBelow(healed: Accuracy, start: Accuracy): boolean {
  const { difference, separated } = accuracyDifference(healed, start, 'twoSided');
  return separated && difference < 0;
}

/** Zero of the gain between run i and run i + 1; null beyond the ends of the curve. */
function crossing(runs: readonly RecoveryStart[], gains: readonly number[], i: number): number | null {
  const [left, right] = [runs[i], runs[i + 1]];
  if (!left || !right) return null;
  const [before, after] = [gains[i]!, gains[i + 1]!];
  return left.step + ((right.step - left.step) * before) / (before - after);
}

/**
 * By how much a peak overstates itself when it was selected by the accuracy that is reported: its excess over the pooled
 * accuracy of the steps that cannot be told from it. 0 for a peak that stands alone.
 */
export function peakOptimism(curve: readonly CurvePoint[], peak: CurvePoint): number {
  const steps = new Set(peakSet(curve, peak));
  const members = curve.filter(({ step }) => steps.has(step));
  const pooled = members.reduce((sum, { correct }) => sum + correct, 0) / members.reduce((sum, { n }) => sum + n, 0);
  return share(peak) - pooled;
}
