/**
 * One verdict, one sentence or two. They say what is separated; what is not is named as "observed". Every number comes
 * with the interval of its test and what that covers.
 */
import { rlArmLabels, type RlArm } from '../../contract/settings.ts';
import type { AblationPoint, Difference, Verdicts } from '../../contract/studyResult.ts';
import { SIGNIFICANCE } from './difference.ts';
import { capitalised, differenceText, intervalOfShares, list, percent, points, pText, steps } from './phrases.ts';
import { episodesPerArm, share, type Proportion } from './proportions.ts';

export const armLabels: Record<RlArm | 'interpolation', string> = {
  ...rlArmLabels,
  interpolation: 'weight interpolation without training',
};

export const editLabels = {
  singularValues: 'singular values',
  singularVectors: 'singular vectors',
  both: 'singular values and vectors',
} as const;

const stageLabels = { sft: 'of SFT_End to those of the peak', rl: 'of RL_End to those of SFT_End' } as const;

export function peakWords(point: Verdicts['peak']['point'], { peakSet }: Verdicts['peak']['tested']): string {
  if (point.selectAccuracy === 0)
    return `No checkpoint answers an OOD episode of the selection half right: there is no peak (${intervalOfShares(point.reportInterval)} on the reporting half of step ${point.step}).`; // prettier-ignore
  const others = peakSet.filter((step) => step !== point.step);
  const alike =
    others.length === 0 ? 'Every other checkpoint is separated below it.' : `Not separated from it: ${steps(others)}.`;
  return (
    `OOD accuracy peaks at step ${point.step}: ${percent(point.selectAccuracy)} on the selection half, ` +
    `${percent(point.reportAccuracy)} on the reporting half (${intervalOfShares(point.reportInterval)}). ${alike}`
  );
}

export function onsetWords(point: number | null, tested: number | null): string {
  const separated =
    tested === null
      ? 'No step is followed only by checkpoints separated below the peak.'
      : `From step ${tested} on, every checkpoint is separated below the peak.`;
  const observed =
    point === null
      ? 'Observed: accuracy does not stay at or below 0.8 of the peak.'
      : `Observed: from step ${point} on it stays at or below 0.8 of the peak.`;
  return `${separated} ${observed}`;
}

export function forgettingWords(
  { toEnd, toLast }: Verdicts['forgetting']['tested'],
  endStep: number,
  lastStep: number,
): string {
  const fall = (change: Difference, where: string): string =>
    change.separated
      ? `OOD accuracy falls from the peak to ${where} by ${differenceText(change).replace(/^\+/, '')}.`
      : `No fall of OOD accuracy from the peak to ${where} is separated; observed fall ${differenceText(change)}.`;
  const toEndWords = fall(toEnd, `SFT_End (step ${endStep})`);
  return lastStep === endStep ? toEndWords : `${toEndWords} ${fall(toLast, `the last checkpoint (step ${lastStep})`)}`;
}

interface Loss {
  step: number;
  loss: number;
}

export function lossFellWords(facts: {
  from: Loss;
  to: Loss;
  checkpoints: number;
  p: number;
  tested: boolean;
}): string {
  const { from, to, checkpoints, p, tested } = facts;
  const trend = `from ${from.loss.toFixed(3)} at the peak to ${to.loss.toFixed(3)} at step ${to.step}`;
  const test = `Mann-Kendall over ${checkpoints} checkpoints, ${pText(p)}`;
  return tested
    ? `Over the same steps the in-distribution test loss falls, ${trend} (${test}).`
    : `That the in-distribution test loss falls over the same steps is not established; observed ${trend} (${test}).`;
}

export function overfittingWords(facts: {
  lowest: Loss;
  last: Loss;
  p: number;
  point: boolean;
  tested: boolean;
}): string {
  const { lowest, last, p, point, tested } = facts;
  const values = `minimum ${lowest.loss.toFixed(3)} at step ${lowest.step}, ${last.loss.toFixed(3)} at the last step`;
  if (tested) return `The in-distribution test loss rises again (${values}; Mann-Kendall ${pText(p)}): overfitting.`;
  if (point)
    return `Observed: the in-distribution test loss ends above its minimum (${values}), but no rise is established (Mann-Kendall ${pText(p)}).`;
  return `No overfitting is seen: the in-distribution test loss ends within 5 % of its minimum (${values}).`;
}

type Recovery = Omit<Verdicts['recovery'][number], 'words'>;

export function recoveryWords(
  { arm, ood, inDist, againstPeak, recoveryShare }: Recovery,
  { after, end, peak, detail }: { after: Proportion; end: Proportion; peak: Proportion; detail: string },
): string {
  const who = `${capitalised(armLabels[arm])}${detail ? ` (${detail})` : ''} from SFT_End`;
  const values = `${percent(share(end))} to ${percent(share(after))}, ${differenceText(ood)}`;
  const gain = ood.separated
    ? `${who}: OOD accuracy rises from ${values}.`
    : `${who}: no recovery is separated; observed OOD accuracy ${values}.`;
  const cost = inDist.separated
    ? `In-distribution accuracy changes by ${differenceText(inDist)}.`
    : `In-distribution accuracy is not distinguishable (${differenceText(inDist)}).`;
  const returned = recoveryShare
    ? `Recovery share ${percent(recoveryShare.value)} (${intervalOfShares(recoveryShare.interval)}).`
    : 'No recovery share: peak and SFT_End are not separated.';
  return `${gain} ${cost} ${againstPeakWords(againstPeak, after, peak)} ${returned}`;
}

function againstPeakWords(change: Difference, after: Proportion, peak: Proportion): string {
  if (change.separated)
    return `It ends ${change.difference < 0 ? 'below' : 'above'} the peak: ${differenceText(change)}.`;
  const needed = episodesPerArm(after, peak);
  const effort = Number.isFinite(needed)
    ? `; about ${rounded(needed)} episodes per arm would separate a difference of this size`
    : '';
  return `Against the peak it is not distinguishable (${differenceText(change)}${effort}).`;
}

/** Three digits are more than a planning figure carries: 13397 -> "13,400". */
function rounded(count: number): string {
  return Number(count.toPrecision(3)).toLocaleString('en-US');
}

export function windowWords(
  point: Verdicts['recoveryWindow']['point'],
  tested: Verdicts['recoveryWindow']['tested'],
  arm: RlArm,
  starts: readonly number[],
): string {
  if (starts.length === 0) return 'RL was not run from any start.';
  const above = tested.starts.length === 0 ? 'from none of its starts' : `from ${steps(tested.starts)}`;
  const below = tested.below.length === 0 ? '' : ` and below its start from ${steps(tested.below)}`;
  const crossings = point.crossings.map((step) => step.toFixed(0));
  const observed =
    point.starts.length === 0
      ? 'observed gains: none'
      : `observed window: ${steps(point.starts)}${crossings.length > 0 ? `, crossings ${list(crossings)}` : ''}`;
  return `RL (${armLabels[arm]}), run from ${steps(starts)}, ends separated above its start ${above}${below}; ${observed}.`;
}

type Reversion = Omit<Verdicts['reversions'][number], 'words'>;

export function reversionWords(
  { stage, edit, ood, inDist, controlPValue, controlRange }: Reversion,
  facts: {
    edited: AblationPoint;
    controls: { kind: string; changes: number[] } | null;
    dose: { scale: number | null; ood: Difference } | null;
  },
): string {
  const what = `Reverting the ${editLabels[edit]} ${stageLabels[stage]}`;
  const size = `(${percent(facts.edited.relativeChange)} of the weights' norm)`;
  const effect = ood.separated
    ? `${what} ${size} changes OOD accuracy by ${differenceText(ood)}.`
    : `${what} ${size} has no separated effect on OOD accuracy (observed ${differenceText(ood)}).`;
  const cost = inDist.separated
    ? `In-distribution accuracy changes by ${differenceText(inDist)}.`
    : `In-distribution accuracy is not distinguishable (${differenceText(inDist)}).`;
  return [effect, cost, controlWords(controlPValue, controlRange, facts.controls), doseWords(edit, facts.dose)]
    .filter(Boolean)
    .join(' ');
}

function controlWords(
  p: number | null,
  range: [number, number] | null,
  controls: { kind: string; changes: number[] } | null,
): string {
  if (p === null || range === null || !controls) return '';
  const replicates = controls.changes.length;
  const spread = `${replicates} norm-matched ${controls.kind} controls, ${points(range[0])} to ${points(range[1])}; ${pText(p)}`;
  if (p <= SIGNIFICANCE) return `That is more than its controls do (${spread}).`;
  // so few replicates cannot say more, whatever they show
  if (1 / (1 + replicates) > SIGNIFICANCE) return `Its controls are too few for a test (${spread}).`;
  return `That is not more than its controls do (${spread}).`;
}

function doseWords(edit: Reversion['edit'], dose: { scale: number | null; ood: Difference } | null): string {
  if (!dose) return '';
  const other = edit === 'singularValues' ? 'vector' : 'value';
  const scale = dose.scale === null ? '' : `, ${dose.scale.toPrecision(2)} times as far`;
  const change = dose.ood.separated
    ? `changes OOD accuracy by ${differenceText(dose.ood)}`
    : `has no separated effect (observed ${differenceText(dose.ood)})`;
  return `Scaled to the norm of the ${other} reversion (dose${scale}) it ${change}.`;
}
