/** What the reversion figure of one stage draws, picked from the ablations: rows, controls, own accuracies, extent. */
import type { AblationPoint, SeedResult } from '../../../../main/contract/studyResult.ts';
import { wilsonInterval } from '../../../../main/contract/wilson.ts';
import { accuracy, mean, namedEvaluation, type Split } from './seedView.ts';

export type ReversionStage = AblationPoint['stage'];

/** Checkpoint names as the figures write them. */
export const checkpointLabels = { base: 'base', peak: 'SFT peak', end: 'SFT_End', last: 'last SFT', rlEnd: 'RL_End' };

export type Edit = 'singularValues' | 'singularVectors' | 'both';
export interface Row {
  label: string;
  edit: Edit;
  dose: boolean;
}
export const rows: Row[] = [
  { label: 'values', edit: 'singularValues', dose: false },
  { label: "values, at the vectors' size", edit: 'singularValues', dose: true },
  { label: 'vectors', edit: 'singularVectors', dose: false },
  { label: "vectors, at the values' size", edit: 'singularVectors', dose: true },
  { label: 'both (ceiling)', edit: 'both', dose: false },
];
export const pointsOf = (seed: SeedResult, stage: ReversionStage, { edit, dose }: Row): AblationPoint[] =>
  seed.ablations.filter(
    (point) => point.stage === stage && point.edit === edit && point.control === (dose ? 'dose' : undefined),
  );

/** Accuracies of the whole edited models of an edit's `scrambled` control. */
export function controlsOf(seed: SeedResult, stage: ReversionStage, edit: Edit, split: Split): number[] {
  return seed.ablations
    .filter((point) => point.stage === stage && point.edit === edit && point.control === 'scrambled')
    .map(({ evaluation }) => accuracy(evaluation[split]));
}

export interface RowData {
  row: Row;
  perSeed: { seed: SeedResult; point: AblationPoint }[];
}

export interface OwnAccuracy {
  name: 'peak' | 'end' | 'rlEnd';
  isTarget: boolean;
  /** Percent, mean over the seeds. */
  accuracy: number;
}

/** What the stage's reference and target score themselves. */
export function ownAccuracies(seeds: SeedResult[], stage: ReversionStage, split: Split): OwnAccuracy[] {
  const names = stage === 'sft' ? (['peak', 'end'] as const) : (['end', 'rlEnd'] as const);
  return names.flatMap((name, index) => {
    const evaluations = seeds.map((seed) => namedEvaluation(seed, name)).filter((one) => one !== null);
    if (evaluations.length === 0) return [];
    const share = mean(evaluations.map((evaluation) => accuracy(evaluation[split])));
    return [{ name, isTarget: index === 1, accuracy: 100 * share }];
  });
}

/** Whole range of what a panel shows, in percent, rounded outwards to ticks; and how far those are apart. */
export function extent(
  data: RowData[],
  stage: ReversionStage,
  split: Split,
  own: OwnAccuracy[],
): [number, number, number] {
  const shown = data.flatMap(({ row, perSeed }) =>
    perSeed.flatMap(({ seed, point }) => {
      const { correct, n } = point.evaluation[split];
      return [...wilsonInterval(correct, n), ...(row.dose ? [] : controlsOf(seed, stage, row.edit, split))];
    }),
  );
  const values = [...shown.map((share) => 100 * share), ...own.map((one) => one.accuracy)];
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const step = highest - lowest > 30 ? 10 : 5;
  return [Math.max(0, step * Math.floor(lowest / step)), Math.min(100, step * Math.ceil(highest / step)), step];
}
