/** Which seeds a figure draws: one with its intervals, or each one thin beside the thick mean. */
import type { Evaluation, SplitScore } from '../../../../main/contract/evaluation.ts';
import type { RlArm } from '../../../../main/contract/settings.ts';
import type { SeedResult, StudyCheckpoint, StudyResult } from '../../../../main/contract/studyResult.ts';

/** The seed picker's "all seeds". */
export const allSeeds = -1;

export interface SeedView {
  seeds: SeedResult[];
  /** Several seeds: intervals over episodes would not say how far seeds differ, so each seed is drawn instead. */
  several: boolean;
}

export function seedView(result: StudyResult | null, choice: number): SeedView {
  const all = result?.seeds ?? [];
  const chosen = all.filter(({ seed }) => seed === choice);
  const seeds = chosen.length > 0 ? chosen : all;
  return { seeds, several: seeds.length > 1 };
}

export type Split = 'inDist' | 'ood';
export const splitLabels: Record<Split, string> = { inDist: 'ID', ood: 'OOD' };

export const accuracy = ({ correct, n }: SplitScore): number => (n === 0 ? NaN : correct / n);

export const sftAt = (seed: SeedResult, step: number | null): Evaluation | null =>
  seed.sft.find((point) => point.step === step)?.evaluation ?? null;

/** Answers judged at each position, of an evaluation in text; null: a task in tokens, one answer. */
export const attemptsOf = ({ seeds }: SeedView): number | null => {
  const [first] = seeds.flatMap(({ sft }) => sft.slice(0, 1));
  return first?.evaluation.text?.attempts ?? null;
};
/** "acc@1" or "acc@5-feedback": the two are never on one axis, and a study has one of them. */
export const accuracyName = (attempts: number | null): string =>
  attempts === null || attempts === 1 ? 'acc@1' : `acc@${attempts}-feedback`;

export type RlRun = SeedResult['rl'][number];
export const lastEvaluation = (run: RlRun | undefined): Evaluation | null =>
  run?.checkpoints[run.checkpoints.length - 1]?.evaluation ?? null;

/** What a checkpoint that the study names scores, as far as it is known. */
export function namedEvaluation(seed: SeedResult, name: StudyCheckpoint): Evaluation | null {
  if (name === 'base') return sftAt(seed, 0);
  if (name === 'peak') return sftAt(seed, seed.peakStep);
  if (name === 'end') return sftAt(seed, seed.endStep);
  if (name === 'last') return seed.sft[seed.sft.length - 1]?.evaluation ?? null;
  return lastEvaluation(seed.rl.find((run) => run.arm === seed.mainArm && run.startStep === seed.endStep));
}

/** The arm that RL runs from every start: the same in every seed of a study. */
export const mainArm = ({ seeds }: SeedView): RlArm => seeds[0]?.mainArm ?? 'ppoAnchor';

/** SFT with the rotation penalty, at the step of SFT_End; null outside the comparison of remedies. */
export const penalisedEnd = (seed: SeedResult): Evaluation | null =>
  seed.penalisedSft.find(({ step }) => step === seed.endStep)?.evaluation ?? null;

export interface Series {
  x: number;
  y: number;
}

/** Mean over the curves at each x that all of them have. */
export function meanCurve(curves: Series[][]): Series[] {
  const [first, ...rest] = curves;
  if (first === undefined) return [];
  const restByX = rest.map((curve) => new Map(curve.map((point) => [point.x, point.y])));
  return first.flatMap(({ x, y }) => {
    const others = restByX.map((curve) => curve.get(x));
    if (others.some((other) => other === undefined)) return [];
    const sum = others.reduce<number>((total, other) => total + (other ?? 0), y);
    return [{ x, y: sum / curves.length }];
  });
}

export const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
