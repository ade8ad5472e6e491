/**
 * One edit of one stage along layers and ranks (the paper's Figures 4-7): accuracy beside controls, doses, ceiling and the
 * checkpoints' own accuracy; below it what each increment of a cumulative sweep adds; below that the size of the change.
 */
import type { RevertKind, SweepAxis, SweepResult } from '../../../../main/contract/sweeps.ts';
import type { ChartFrame, Figure, FigurePick } from '../../../figures/figure.ts';
import { legend, still, tooltip } from '../../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal, percent } from '../../../figures/quantities.ts';
import { accuracy } from '../../study/charts/seedView.ts';
import { pointTable } from '../pointTable.ts';
import { pointWords } from '../pointWords.ts';
import { editLabels, endNames, keysOf, ownPoint, sitesOf, type Site } from '../sweepPoints.ts';
import { accuracyExtent, accuracySeries, legendNames } from './accuracyPanel.ts';
import { ownLabelsPx, type AccuracyExtent, type PanelContext } from './ownLines.ts';
import { incrementSeries, sizeAxis, sizeSeries } from './changePanels.ts';

const drawnAxes: SweepAxis[] = ['layers', 'ranks'];
const [accuracyPx, incrementsPx, sizePx] = [290, 120, 110];

interface Column {
  axis: SweepAxis;
  sites: Site[];
  title: string;
  xName: string;
  isCumulative: boolean;
}

const titles = {
  layers: { first: 'First layers', last: 'Last layers', each: 'Each layer alone', set: 'A set of layers' },
  ranks: { top: 'Top ranks, all layers', bottom: 'Bottom ranks, all layers', band: 'Bands of ranks, all layers' },
} as const;

function columnOf(sweep: SweepResult, pair: number, edit: RevertKind, axis: SweepAxis): Column {
  const sites = sitesOf(sweep, pair, edit, axis);
  const settings = sweep.settings.sweep;
  const [layerMode, rankMode] =
    settings.kind === 'reversion' ? [settings.layerMode, settings.rankMode] : (['first', 'top'] as const);
  if (axis === 'layers') {
    const isCumulative = layerMode === 'first' || layerMode === 'last';
    const xName = isCumulative ? `number of ${layerMode} layers reverted` : 'layer reverted';
    return { axis, sites, title: titles.layers[layerMode], xName, isCumulative };
  }
  const xName = rankMode === 'band' ? 'ranks reverted' : `number of ${rankMode} ranks reverted`;
  return { axis, sites, title: titles.ranks[rankMode], xName, isCumulative: rankMode !== 'band' };
}

type Row = 'accuracy' | 'increments' | 'size';

interface SharedAxes {
  accuracy: AccuracyExtent;
  size: { kind: 'value' | 'log'; min?: number; max?: number };
}

function specOf(row: Row, column: Column, shared: SharedAxes): PanelSpec {
  const categories = column.sites.map(({ label }) => label);
  const x = { name: column.xName, kind: 'category' as const, categories };
  if (row === 'accuracy')
    return { title: column.title, x, y: { name: 'accuracy (%)', ...shared.accuracy }, plotHeightPx: accuracyPx };
  if (row === 'increments') {
    const title = 'Increment over the previous point: gained, lost, net';
    return { title, x, y: { name: 'points' }, plotHeightPx: incrementsPx };
  }
  const y = {
    name: 'change (%)',
    ...shared.size,
    format: (value: number | string) => decimal(Number(value)),
  };
  return { title: "Size of the change, ||W' - W|| / ||W||", x, y, plotHeightPx: sizePx };
}

/** In the order of the arrow keys: the edits of each axis, then their doses. */
export function picksOf(sweep: SweepResult, sites: Site[], pair: number): FigurePick[] {
  const ends = endNames(sweep, pair);
  return sites
    .flatMap(({ point, dose }) => [point, ...(dose === null ? [] : [dose])])
    .map((point) => {
      const { evaluation } = point;
      const scores =
        evaluation === null
          ? ''
          : `: ID ${percent(accuracy(evaluation.inDist))}, OOD ${percent(accuracy(evaluation.ood))}`;
      return { key: point.key, label: pointWords(point, sweep.settings, ends) + scores };
    });
}

export function editFigure(sweep: SweepResult, pair: number, edit: RevertKind, frame: ChartFrame): Figure | null {
  const columns = drawnAxes.map((axis) => columnOf(sweep, pair, edit, axis)).filter(({ sites }) => sites.length > 0);
  if (columns.length === 0) return null;
  const { theme } = frame;
  const sites = columns.flatMap((column) => column.sites);
  const isEvaluated = sites.some(({ point }) => point.evaluation !== null);
  const rows: Row[] = [
    ...(isEvaluated ? (['accuracy'] as const) : []),
    ...(isEvaluated && columns.some(({ isCumulative }) => isCumulative) ? (['increments'] as const) : []),
    'size',
  ];
  const [target, reference] = [ownPoint(sweep, pair, 'target'), ownPoint(sweep, pair, 'reference')];
  const shared = { accuracy: accuracyExtent(sites, [target, reference]), size: sizeAxis(sites) };
  const across = columnsFor(frame, columns.length, 430);
  // Side by side: row by row. Below each other: all rows of an axis, then the next axis.
  const cells =
    across === columns.length
      ? rows.flatMap((row) => columns.map((column) => ({ row, column })))
      : columns.flatMap((column) => rows.map((row) => ({ row, column })));
  const shown = cells.filter(({ row, column }) => across > 1 || row !== 'increments' || column.isCumulative);
  const names = isEvaluated ? legendNames(sites) : [];
  const layout = {
    columns: across,
    plotHeightPx: accuracyPx,
    labelsPx: isEvaluated ? ownLabelsPx : 0,
    ...(names.length > 0 ? { legend: names } : {}),
  };
  const specs = shown.map(({ row, column }) => specOf(row, column, shared));
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const ends = endNames(sweep, pair);
  const series = shown.flatMap(({ row, column }, panel): object[] => {
    if (row === 'size') return sizeSeries(column.sites, panel, theme, true);
    if (row === 'increments') return column.isCumulative ? incrementSeries(column.sites, target, panel, theme) : [];
    const context: PanelContext = {
      theme,
      panel,
      target,
      reference,
      ends,
      extent: shared.accuracy,
      plotHeightPx: accuracyPx,
      isJoined: true,
    };
    return accuracySeries(column.sites, context);
  });
  const keys = keysOf(sites);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      ...(names.length > 0 ? { legend: legend(names, frame) } : {}),
      tooltip: tooltip(theme, 'axis', String),
    },
    summary: `${editLabels[edit]}, ${ends.target} towards ${ends.reference}: ${columns.map(summaryOf).join('; ')}.`,
    picks: picksOf(sweep, sites, pair),
    table: pointTable(
      sweep,
      sweep.points.filter((point) => keys.has(point.key) || (point.pair === pair && point.axis === 'own')),
    ),
  };
}

function summaryOf({ sites, title }: Column): string {
  const last = sites[sites.length - 1];
  const ood = last?.point.evaluation?.ood;
  if (last === undefined || ood === undefined) return `${title.toLowerCase()}, ${sites.length} points, not evaluated`;
  return `${title.toLowerCase()}, ${sites.length} points, at ${last.label} OOD ${percent(accuracy(ood))}`;
}
