/**
 * The comparisons of accuracy that a study speaks about, by name: one list, from which the rows over the seeds, the tests of
 * a single seed and the words are made. Everything is read on the reporting half.
 */
import type { Evaluation } from '../../contract/evaluation.ts';
import { rlArms, type RlArm } from '../../contract/settings.ts';
import { revertKinds } from '../../contract/sweeps.ts';
import type { Accuracy, Alternative } from './difference.ts';
import {
  ablationTarget,
  accuracyOf,
  bestInterpolation,
  healedEvaluation,
  healedFromEnd,
  selectPeakStep,
  sftEvaluation,
  type SeedFacts,
  type Split,
} from './studyFacts.ts';
import { armLabels, editLabels } from './verdictWords.ts';

export type RecoveryArm = RlArm | 'interpolation';

export interface Contrast {
  /** Stable, for finding it again: "gain.ppoPlain". */
  key: string;
  /** For a table row. */
  name: string;
  plus: Accuracy;
  /** Absent: the accuracy itself. */
  minus?: Accuracy;
  /** What is claimed of plus - minus. */
  alternative: Alternative;
}

/** All contrasts whose checkpoints have been evaluated. */
export function contrastsOf(facts: SeedFacts): Contrast[] {
  const at = {
    peak: sftEvaluation(facts, facts.peakStep ?? selectPeakStep(facts)),
    end: sftEvaluation(facts, facts.endStep),
    last: sftEvaluation(facts, Math.max(...facts.sft.map(({ step }) => step))),
  };
  const arms = recoveries(facts);
  return [
    ...level('OOD accuracy at the peak', at.peak, 'ood'),
    ...level('OOD accuracy at SFT_End', at.end, 'ood'),
    ...level('OOD accuracy at the last SFT checkpoint', at.last, 'ood'),
    ...level('ID accuracy at SFT_End', at.end, 'inDist'),
    ...difference('fall.end', 'Fall of OOD accuracy, peak to SFT_End', at.peak, at.end, 'ood', 'greater'),
    ...difference(
      'fall.last',
      'Fall of OOD accuracy, peak to the last SFT checkpoint',
      at.peak,
      at.last,
      'ood',
      'greater',
    ),
    ...[...arms].flatMap(([arm, healed]) => [
      ...difference(`gain.${arm}`, `OOD gain over SFT_End, ${armLabels[arm]}`, healed, at.end, 'ood', 'greater'),
      ...difference(`inDist.${arm}`, `ID change from SFT_End, ${armLabels[arm]}`, healed, at.end, 'inDist', 'twoSided'),
      ...difference(`peak.${arm}`, `OOD against the peak, ${armLabels[arm]}`, healed, at.peak, 'ood', 'twoSided'),
    ]),
    ...armPairs(arms),
    ...mitigations(facts, at),
    ...singleStage(facts),
    ...reversions(facts),
  ];
}

/** What each arm made of SFT_End, as far as it has been run. */
function recoveries(facts: SeedFacts): Map<RecoveryArm, Evaluation> {
  const found = new Map<RecoveryArm, Evaluation>();
  for (const arm of rlArms) {
    const healed = healedFromEnd(facts, arm);
    if (healed) found.set(arm, healed);
  }
  const interpolation = bestInterpolation(facts);
  if (interpolation) found.set('interpolation', interpolation.evaluation);
  return found;
}

/** Which arm explains the recovery: the arms against each other. */
const pairs: readonly [RecoveryArm, RecoveryArm][] = [
  ['ppoAnchor', 'ppoPlain'],
  ['anchorOnly', 'ppoPlain'],
  ['ppoAnchor', 'anchorOnly'],
  ['ppoAnchor', 'interpolation'],
];

function armPairs(arms: ReadonlyMap<RecoveryArm, Evaluation>): Contrast[] {
  return pairs.flatMap(([a, b]) => {
    const name = `${armLabels[a]} less ${armLabels[b]}`;
    const [plus, minus] = [arms.get(a) ?? null, arms.get(b) ?? null];
    return [
      ...difference(`arms.${a}.${b}`, `OOD, ${name}`, plus, minus, 'ood', 'twoSided'),
      ...difference(`armsInDist.${a}.${b}`, `ID, ${name}`, plus, minus, 'inDist', 'twoSided'),
    ];
  });
}

/** In the preset `comparison`: what else can be done about the forgetting, against SFT_End and against RL. */
function mitigations(facts: SeedFacts, at: { peak: Evaluation | null; end: Evaluation | null }): Contrast[] {
  const penalised = facts.penalisedSft.find(({ step }) => step === facts.endStep)?.evaluation ?? null;
  if (!penalised) return [];
  const [plain, anchored] = [healedFromEnd(facts, 'ppoPlain'), healedFromEnd(facts, 'ppoAnchor')];
  return [
    ...difference('penalty.ood', 'OOD gain over SFT_End, rotation penalty', penalised, at.end, 'ood', 'greater'),
    ...difference(
      'penalty.inDist',
      'ID change from SFT_End, rotation penalty',
      penalised,
      at.end,
      'inDist',
      'twoSided',
    ),
    ...difference(
      'penalty.peak',
      'OOD, rotation penalty less stopping at the peak',
      penalised,
      at.peak,
      'ood',
      'twoSided',
    ),
    ...difference('stop.ood', 'OOD gain over SFT_End, stopping at the peak', at.peak, at.end, 'ood', 'greater'),
    ...difference('stop.inDist', 'ID change from SFT_End, stopping at the peak', at.peak, at.end, 'inDist', 'twoSided'),
    ...difference('penalty.plain', 'OOD, rotation penalty less plain PPO', penalised, plain, 'ood', 'twoSided'),
    ...difference(
      'penalty.anchor',
      'OOD, rotation penalty less PPO + KL anchor',
      penalised,
      anchored,
      'ood',
      'twoSided',
    ),
  ];
}

/** RL from the base model itself. */
function singleStage(facts: SeedFacts): Contrast[] {
  const run = facts.rl.find(({ startStep }) => startStep === 0);
  const [healed, base] = [run ? healedEvaluation(run) : null, sftEvaluation(facts, 0)];
  return [
    ...difference('singleStage.ood', 'OOD gain of RL from the base', healed, base, 'ood', 'greater'),
    ...difference('singleStage.inDist', 'ID gain of RL from the base', healed, base, 'inDist', 'greater'),
  ];
}

function reversions(facts: SeedFacts): Contrast[] {
  const stages = ['sft', 'rl'] as const;
  return stages.flatMap((stage) => {
    const target = ablationTarget(facts, stage);
    const where = stage === 'sft' ? 'SFT_End to the peak' : 'RL_End to SFT_End';
    return revertKinds.flatMap((edit) => {
      const points = facts.ablations.filter((point) => point.stage === stage && point.edit === edit);
      const edited = points.find(({ control }) => control === undefined)?.evaluation ?? null;
      const dose = points.find(({ control }) => control === 'dose')?.evaluation ?? null;
      const name = `${editLabels[edit]}, ${where}`;
      return [
        ...difference(`revert.${stage}.${edit}`, `OOD change by reverting ${name}`, edited, target, 'ood', 'twoSided'),
        ...difference(`dose.${stage}.${edit}`, `OOD change by the dose of ${name}`, dose, target, 'ood', 'twoSided'),
      ];
    });
  });
}

function level(name: string, evaluation: Evaluation | null, split: Split): Contrast[] {
  if (!evaluation) return [];
  return [{ key: `level.${name}`, name, plus: accuracyOf(evaluation, split, 'report'), alternative: 'twoSided' }];
}

function difference(
  key: string,
  name: string,
  plus: Evaluation | null,
  minus: Evaluation | null,
  split: Split,
  alternative: Alternative,
): Contrast[] {
  if (!plus || !minus) return [];
  return [
    { key, name, plus: accuracyOf(plus, split, 'report'), minus: accuracyOf(minus, split, 'report'), alternative },
  ];
}
