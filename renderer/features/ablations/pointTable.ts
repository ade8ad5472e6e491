/** Points of a sweep as rows of numbers: the table of a figure, and what is copied. */
import type { SweepPointResult, SweepResult } from '../../../main/contract/sweeps.ts';
import type { FigureTable } from '../../figures/figure.ts';
import { scoreCells } from '../study/charts/accuracyCurve.ts';
import { pointWords } from './pointWords.ts';
import { endNames, requestedRanks } from './sweepPoints.ts';

const none = [null, null, null, null, null];

/** One row a point, ID and OOD beside each other; accuracies are shares. */
export function pointTable(
  sweep: Pick<SweepResult, 'pairs' | 'settings'>,
  points: readonly SweepPointResult[],
): FigureTable {
  return {
    columns: [
      'pair',
      'edit',
      'axis',
      'kind',
      'control',
      'replicate',
      'k',
      'alpha',
      'relative change',
      'orthogonality defect',
      'ranks asked',
      'effective rank',
      'negative singular values',
      ...['ID', 'OOD'].flatMap((split) =>
        ['correct', 'n', 'accuracy', 'low', 'high'].map((name) => `${split} ${name}`),
      ),
      'key',
    ],
    rows: points.map((point) => {
      const { record, evaluation } = point;
      return [
        sweep.pairs[point.pair]?.label ?? point.pair,
        pointWords(point, sweep.settings, endNames(sweep, point.pair)),
        point.axis,
        point.edit,
        point.control ?? null,
        point.replicate ?? null,
        point.k ?? null,
        point.alpha ?? null,
        record.relativeChange,
        record.orthogonalityDefect,
        requestedRanks(point),
        record.effectiveRank,
        record.negativeSingularValues,
        ...(evaluation === null ? none : scoreCells(evaluation.inDist)),
        ...(evaluation === null ? none : scoreCells(evaluation.ood)),
        point.key,
      ];
    }),
  };
}
