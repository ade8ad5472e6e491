/** Layer x top ranks: each layer reverted alone, to so many ranks. One number a cell; a cell opens its point. */
import type { RevertKind, SweepPointResult, SweepResult } from '../../../../main/contract/sweeps.ts';
import { colorScale, textOn, type ScaleKind } from '../../../figures/colorScale.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { colorKey, keyRow } from '../../../figures/layerMatrix.ts';
import { still, tooltip } from '../../../figures/marks.ts';
import { fontFamily, panels } from '../../../figures/panels.ts';
import { percent } from '../../../figures/quantities.ts';
import { accuracy, type Split } from '../../study/charts/seedView.ts';
import { pointTable } from '../pointTable.ts';
import { pointWords } from '../pointWords.ts';
import { editLabels, endNames, isRankClipped, ownPoint } from '../sweepPoints.ts';

export interface GridQuantity {
  label: string;
  scale: ScaleKind;
  digits: number;
  /** In percent or points; null where it was not evaluated. */
  of(point: SweepPointResult, target: SweepPointResult | null): number | null;
}

function shareOf(point: SweepPointResult | null, split: Split): number | null {
  const score = point?.evaluation?.[split];
  return score === undefined ? null : 100 * accuracy(score);
}
function gain(point: SweepPointResult, target: SweepPointResult | null, split: Split): number | null {
  const [after, before] = [shareOf(point, split), shareOf(target, split)];
  return after === null || before === null ? null : after - before;
}

export const gridQuantities: Record<string, GridQuantity> = {
  ood: { label: 'OOD accuracy (%)', scale: 'sequential', digits: 1, of: (point) => shareOf(point, 'ood') },
  inDist: { label: 'ID accuracy (%)', scale: 'sequential', digits: 1, of: (point) => shareOf(point, 'inDist') },
  oodGain: {
    label: 'OOD accuracy minus the target (points)',
    scale: 'signed',
    digits: 1,
    of: (point, target) => gain(point, target, 'ood'),
  },
  inDistGain: {
    label: 'ID accuracy minus the target (points)',
    scale: 'signed',
    digits: 1,
    of: (point, target) => gain(point, target, 'inDist'),
  },
  change: {
    label: "Size of the change, ||W' - W|| / ||W|| (%)",
    scale: 'sequential',
    digits: 2,
    of: ({ record }) => 100 * record.relativeChange,
  },
};

const rankOf = ({ ranks }: SweepPointResult): number => ranks?.top ?? Infinity;
const rankText = (rank: number): string => (rank === Infinity ? 'all' : String(rank));

export function gridHeatmap(
  sweep: SweepResult,
  pair: number,
  edit: RevertKind,
  quantity: GridQuantity,
  frame: ChartFrame,
): Figure | null {
  const points = sweep.points.filter(
    (point) => point.pair === pair && point.axis === 'grid' && point.edit === edit && point.control === undefined,
  );
  if (points.length === 0) return null;
  const { theme, widthPx } = frame;
  const target = ownPoint(sweep, pair, 'target');
  const ends = endNames(sweep, pair);
  const layers = [...new Set(points.map(({ k = 0 }) => k))].sort((a, b) => a - b);
  const ranks = [...new Set(points.map(rankOf))].sort((a, b) => a - b);
  const cells = points
    .map((point) => ({ point, value: quantity.of(point, target) }))
    .sort((a, b) => (a.point.k ?? 0) - (b.point.k ?? 0) || rankOf(a.point) - rankOf(b.point));
  const values = cells.flatMap(({ value }) => value ?? []);
  // Differences below one point are no colour.
  const scale = colorScale(quantity.scale, quantity.scale === 'signed' ? [...values, -1, 1] : values, theme);
  const spec = {
    title: quantity.label,
    x: { name: 'top ranks reverted', kind: 'category' as const, categories: ranks.map(rankText) },
    y: {
      name: 'layer reverted alone',
      kind: 'category' as const,
      categories: layers.map(String),
      inverse: true,
      labelWidthPx: 34,
    },
  };
  const rowPx = layers.length > 40 ? 18 : layers.length > 14 ? 24 : 34;
  const { heightPx, ...axes } = panels(
    [spec],
    { columns: 1, plotHeightPx: Math.max(110, rowPx * layers.length), ...keyRow(spec.title, frame) },
    frame,
  );
  const isLabelled = (widthPx - 58) / ranks.length >= 38;
  const words = (point: SweepPointResult): string => pointWords(point, sweep.settings, ends);
  const text = (value: number | null): string => (value === null ? 'not evaluated' : value.toFixed(1));
  const tipOf = (point: SweepPointResult): string => {
    const [ood, inDist] = [shareOf(point, 'ood'), shareOf(point, 'inDist')];
    const clipped = isRankClipped(point) ? `, mean effective rank ${point.record.effectiveRank.toFixed(1)}` : '';
    return `${words(point)}\nOOD ${text(ood)} %, ID ${text(inDist)} %, change ${percent(point.record.relativeChange, 3)}${clipped}`;
  };
  const data = cells.map(({ point, value }) => {
    const position = value === null ? null : scale.at(value);
    const isWithout = position === null;
    return {
      key: point.key,
      value: [rankText(rankOf(point)), String(point.k ?? 0), position ?? 0],
      tip: tipOf(point),
      ...(isWithout ? { visualMap: false, itemStyle: { color: theme.grid } } : {}),
      label: {
        show: isLabelled,
        formatter: isWithout || value === null ? '–' : value.toFixed(quantity.digits),
        color: isWithout ? theme.muted : textOn(scale, position),
      },
    };
  });
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      visualMap: colorKey(scale, theme),
      series: [
        {
          type: 'heatmap',
          xAxisIndex: 0,
          yAxisIndex: 0,
          data,
          label: { show: isLabelled, fontSize: 11, fontFamily },
          itemStyle: { borderColor: theme.surface, borderWidth: 2 },
          emphasis: { itemStyle: { borderColor: theme.ink, borderWidth: 2 } },
        },
      ],
      tooltip: tooltip(theme, 'item'),
    },
    summary:
      values.length === 0
        ? `${quantity.label} of ${editLabels[edit]} by layer and ranks: nothing evaluated yet.`
        : `${quantity.label} of ${editLabels[edit]} by layer and ranks: ${least.toFixed(1)} to ${most.toFixed(1)}.`,
    picks: cells.map(({ point }) => ({
      key: point.key,
      label: tipOf(point).replace('\n', ': '),
      at: [layers.indexOf(point.k ?? 0), ranks.indexOf(rankOf(point))],
    })),
    table: pointTable(sweep, points),
  };
}
