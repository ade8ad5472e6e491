/** What the verdicts of one seed are computed from: accuracies by half, and the checkpoints that have a name. */
import type { Evaluation } from '../../contract/evaluation.ts';
import type { RlArm } from '../../contract/settings.ts';
import type { AblationPoint, SeedResult } from '../../contract/studyResult.ts';
import type { CurvePoint } from './detectors.ts';
import { peakOf } from './detectors.ts';
import type { Accuracy } from './difference.ts';
import { halfOf, type Half } from './halves.ts';
import { share } from './proportions.ts';

export type SeedFacts = Pick<SeedResult, 'seed' | 'sft' | 'penalisedSft' | 'peakStep' | 'endStep' | 'rl' | 'ablations'>;
export type Split = 'inDist' | 'ood';
/** The target of an ablation, by stage. */
export type Stage = 'sft' | 'rl';

export function accuracyOf(evaluation: Evaluation, split: Split, half: Half): Accuracy {
  return halfOf(evaluation[split], half);
}

/** Accuracy per SFT checkpoint, in step order. */
export function sftCurve({ sft }: Pick<SeedFacts, 'sft'>, split: Split, half: Half): CurvePoint[] {
  const curve = sft.map(({ step, evaluation }) => ({ step, ...accuracyOf(evaluation, split, half) }));
  return curve.sort((a, b) => a.step - b.step);
}

/** The OOD peak of the selection half, the earliest of ties; null before the first evaluation. */
export function selectPeakStep(facts: Pick<SeedFacts, 'sft'>): number | null {
  return facts.sft.length === 0 ? null : peakOf(sftCurve(facts, 'ood', 'select')).step;
}

export function sftEvaluation({ sft }: Pick<SeedFacts, 'sft'>, step: number | null): Evaluation | null {
  return sft.find((checkpoint) => checkpoint.step === step)?.evaluation ?? null;
}

export type RlRun = SeedFacts['rl'][number];

/** The last evaluated iteration of a run; null while there is none but the start. */
export function healedEvaluation(run: RlRun): Evaluation | null {
  const last = run.checkpoints.reduce<RlRun['checkpoints'][number] | null>(
    (latest, checkpoint) => (checkpoint.iteration > (latest?.iteration ?? 0) ? checkpoint : latest),
    null,
  );
  return last?.evaluation ?? null;
}

/** What RL made of SFT_End with this arm. */
export function healedFromEnd({ rl, endStep }: Pick<SeedFacts, 'rl' | 'endStep'>, arm: RlArm): Evaluation | null {
  const run = rl.find((candidate) => candidate.arm === arm && candidate.startStep === endStep);
  return run ? healedEvaluation(run) : null;
}

/** The checkpoint that the ablations of a stage edit: SFT_End, or RL_End of the anchored arm. */
export function ablationTarget(facts: SeedFacts, stage: Stage): Evaluation | null {
  return stage === 'sft' ? sftEvaluation(facts, facts.endStep) : healedFromEnd(facts, 'ppoAnchor');
}

/** The interpolation of SFT_End with an earlier checkpoint that is best on the selection half, the earliest of ties. */
export function bestInterpolation({ ablations }: Pick<SeedFacts, 'ablations'>): AblationPoint | null {
  const select = (point: AblationPoint): number => share(accuracyOf(point.evaluation, 'ood', 'select'));
  return ablations
    .filter(({ edit, target, control }) => edit === 'interpolation' && target === 'end' && control === undefined)
    .reduce<AblationPoint | null>((best, point) => (best && select(best) >= select(point) ? best : point), null);
}
