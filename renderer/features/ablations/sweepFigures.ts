/** The figures of a sweep: of each pair its edits (the paper's Figures 4-7), its whole models, its heat maps, its lines. */
import type { RevertKind, SweepResult } from '../../../main/contract/sweeps.ts';
import type { NamedFigure } from '../../figures/figure.ts';
import { editFigure } from './charts/editFigure.ts';
import { gridHeatmap, gridQuantities } from './charts/gridHeatmap.ts';
import { pathCurve } from './charts/pathCurve.ts';
import { wholeFigure } from './charts/wholeFigure.ts';
import { endNames } from './sweepPoints.ts';

/** `hasQuantity`: drawn for the quantity that was chosen. */
export type SweepFigure = NamedFigure & { hasQuantity: boolean };

const edits: Record<RevertKind, string> = {
  singularValues: 'Singular values',
  singularVectors: 'Singular vectors',
  both: 'Values and vectors',
};
/** Figure numbers of the paper. */
const published = {
  sft: { singularValues: '4', singularVectors: '5', both: null },
  rl: { singularValues: '6', singularVectors: '7', both: null },
};
const empty = 'Appears with the first points that are done.';
const intervals = 'Whiskers: 95 % Wilson intervals over episodes, not over training seeds.';
const controls =
  'Grey: mean and range of whole models with a random change of the same size. Solid line: the target itself; dashed: the reference.';

/** @param quantityName of the heat maps */
export function sweepFigures(sweep: SweepResult, quantityName: string): SweepFigure[] {
  const quantity = gridQuantities[quantityName] ?? gridQuantities['ood']!;
  const { settings, pairs } = sweep;
  const asked = settings.sweep;
  if (asked.kind === 'interpolation') {
    const note = `All tensors on the straight line between two checkpoints: what needs no decomposition. Shaded: 95 % Wilson intervals over episodes.`;
    return [
      {
        name: 'sweepPath',
        title: 'Interpolation of the weights',
        note,
        empty,
        hasQuantity: false,
        build: (frame) => pathCurve(sweep, frame),
      },
    ];
  }
  const has = (...axes: string[]): boolean => asked.axes.some((axis) => axes.includes(axis));
  return pairs.flatMap(({ stage, label }, pair): SweepFigure[] => {
    const { target, reference } = endNames(sweep, pair);
    const towards = `${stage === null ? '' : `${label}: `}${target} towards ${reference}`;
    const ofEdits = asked.reverts.flatMap((edit): SweepFigure[] => {
      const paper = stage === null ? null : published[stage][edit];
      const lines: SweepFigure = {
        name: `sweepEdit-${stage ?? pair}-${edit}`,
        title: `${edits[edit]}, ${towards}${paper === null ? '' : ` (Figure ${paper} of the paper)`}`,
        ...(paper === null ? {} : { paper }),
        note: `${intervals} ${controls} An increment compares a point with the one before it on the same episodes: "the last layers" of a cumulative sweep can only mean its final increment.`,
        empty,
        hasQuantity: false,
        build: (frame) => editFigure(sweep, pair, edit, frame),
      };
      const grid: SweepFigure = {
        name: `sweepGrid-${stage ?? pair}-${edit}`,
        title: `${edits[edit]} by layer and rank, ${towards}`,
        note: 'Each cell is one edited model: one layer reverted alone, to its top ranks. Intervals and records open with the cell.',
        empty,
        hasQuantity: true,
        build: (frame) => gridHeatmap(sweep, pair, edit, quantity, frame),
      };
      return [...(has('layers', 'ranks') ? [lines] : []), ...(has('grid') ? [grid] : [])];
    });
    const whole: SweepFigure = {
      name: `sweepWhole-${stage ?? pair}`,
      title: `Whole models, ${towards}`,
      note: `${intervals} ${controls}`,
      empty,
      hasQuantity: false,
      build: (frame) => wholeFigure(sweep, pair, frame),
    };
    return [...(has('whole') ? [whole] : []), ...ofEdits];
  });
}
