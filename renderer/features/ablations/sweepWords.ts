/** A sweep in one line: what is edited, along what, beside which controls. */
import { randomControls, type Sweep, type SweepAxis } from '../../../main/contract/sweeps.ts';

const axes: Record<SweepAxis, string> = {
  whole: 'whole models',
  layers: 'layers',
  ranks: 'ranks',
  grid: 'layers x ranks',
};
const edits = { singularValues: 'values', singularVectors: 'vectors', both: 'both' };

export function sweepWords({ settings, pairs }: Pick<Sweep, 'settings' | 'pairs'>): string {
  const { sweep, task } = settings;
  const episodes = `${task.evaluationEpisodes} episodes a split`;
  if (sweep.kind === 'interpolation')
    return `line through ${pairs.length + 1} checkpoints, ${sweep.alphas.length} positions, ${episodes}`;
  const controls = randomControls
    .filter((kind) => sweep.controls[kind] > 0)
    .map((kind) => `${sweep.controls[kind]} ${kind}`);
  return [
    sweep.reverts.map((edit) => edits[edit]).join(' and '),
    `along ${sweep.axes.map((axis) => axes[axis]).join(' and ')}`,
    controls.length === 0 ? 'no random controls' : `${controls.join(', ')} controls a point`,
    ...(sweep.paperCompatible ? ['as the published scripts'] : []),
    episodes,
  ].join(', ');
}
