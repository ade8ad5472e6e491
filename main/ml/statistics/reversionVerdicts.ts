/**
 * What reverting singular values, vectors or both did to accuracy, beside norm-matched random controls.
 *
 * A replicate of a control is one whole edited model: p = (1 + #{|change of control| >= |change of edit|}) / (1 + replicates).
 * Replicates are never pooled into one interval of episodes.
 */
import type { AblationPoint, Verdicts } from '../../contract/studyResult.ts';
import { randomControls, revertKinds } from '../../contract/sweeps.ts';
import { accuracyDifference } from './difference.ts';
import { share } from './proportions.ts';
import { ablationTarget, accuracyOf, type SeedFacts, type Stage } from './studyFacts.ts';
import { reversionWords } from './verdictWords.ts';

export function reversionVerdicts(facts: SeedFacts): Verdicts['reversions'] {
  const stages: Stage[] = ['sft', 'rl'];
  return stages.flatMap((stage) => revertKinds.flatMap((edit) => reversionVerdict(facts, stage, edit)));
}

function reversionVerdict(facts: SeedFacts, stage: Stage, edit: (typeof revertKinds)[number]): Verdicts['reversions'] {
  const target = ablationTarget(facts, stage);
  const points = facts.ablations.filter((point) => point.stage === stage && point.edit === edit);
  const edited = points.find(({ control }) => control === undefined);
  if (!target || !edited) return [];
  const change = (point: AblationPoint, split: 'ood' | 'inDist') =>
    accuracyDifference(accuracyOf(point.evaluation, split, 'report'), accuracyOf(target, split, 'report'), 'twoSided');
  const ood = change(edited, 'ood');
  const controls = controlChanges(points, (point) => {
    const [after, before] = [point.evaluation, target].map((evaluation) =>
      share(accuracyOf(evaluation, 'ood', 'report')),
    );
    return after! - before!;
  });
  const verdict = {
    stage,
    edit,
    ood,
    inDist: change(edited, 'inDist'),
    controlPValue: controls ? controlPValue(ood.difference, controls.changes) : null,
    controlRange: controls
      ? ([Math.min(...controls.changes), Math.max(...controls.changes)] as [number, number])
      : null,
  };
  const dose = points.find(({ control }) => control === 'dose');
  const doseText = dose ? { scale: dose.scale ?? null, ood: change(dose, 'ood') } : null;
  return [{ ...verdict, words: reversionWords(verdict, { edited, controls, dose: doseText }) }];
}

/** Changes of OOD accuracy by the replicates of one kind of random control: scrambled, else the first kind there is. */
function controlChanges(
  points: readonly AblationPoint[],
  change: (point: AblationPoint) => number,
): { kind: string; changes: number[] } | null {
  const kind = randomControls.find((control) => points.some((point) => point.control === control));
  return kind ? { kind, changes: points.filter(({ control }) => control === kind).map(change) } : null;
}

export function controlPValue(edit: number, controls: readonly number[]): number {
  // a hair of slack, so that equal counts of episodes stay equal after subtraction
  const asLarge = controls.filter((control) => Math.abs(control) >= Math.abs(edit) - 1e-12).length;
  return (1 + asLarge) / (1 + controls.length);
}
