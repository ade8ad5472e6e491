/**
 * How quantities evolve over the steps of a trajectory: one line a matrix type, the mean over its layers, with their range
 * where one quantity has the figure for itself.
 */
import {
  projections,
  type MatrixSummary,
  type Projection,
  type SpectralResult,
} from '../../../../main/contract/spectral.ts';
import type { ScaleKind } from '../../../figures/colorScale.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import {
  curve,
  intervalBand,
  legend,
  still,
  tooltip,
  whiskers,
  type IntervalPoint,
  type TipPoint,
} from '../../../figures/marks.ts';
import { columnsFor, panels, roundStep } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import { quantityText, quantityTitle, type CellQuantity } from '../cellQuantities.ts';

export interface StepPoint {
  x: number;
  mean: number;
  low: number;
  high: number;
  layers: number;
}
type Pair = Pick<SpectralResult, 'targets' | 'rows'>;

/** Steps where every target has one of its own; else the place in the trajectory, from 1. */
export function positions({ targets }: Pick<SpectralResult, 'targets'>): { name: string; x: number[] } {
  const steps = targets.map(({ step }) => step);
  const known = steps.filter((step) => step !== null);
  if (known.length === steps.length && new Set(known).size === known.length) return { name: 'step', x: known };
  return { name: 'place in the trajectory', x: steps.map((_, index) => index + 1) };
}

/** Mean and range over the layers at each step, by matrix type, in the order of the steps: one pass over all rows. */
export function overSteps(result: Pair, quantity: CellQuantity): Map<Projection, StepPoint[]> {
  const { x } = positions(result);
  const curves = new Map<Projection, StepPoint[]>();
  result.rows.forEach((summaries, index) => {
    const at = x[index];
    if (at === undefined) return;
    const sums = new Map<Projection, StepPoint>();
    for (const summary of summaries) {
      const value = quantity.of(summary);
      if (value === null || !Number.isFinite(value)) continue;
      const { mean, low, high, layers } = sums.get(summary.matrix) ?? { mean: 0, low: value, high: value, layers: 0 };
      const next = { x: at, mean: mean + value, low: Math.min(low, value), high: Math.max(high, value) };
      sums.set(summary.matrix, { ...next, layers: layers + 1 });
    }
    for (const [matrix, point] of sums) {
      const points = curves.get(matrix) ?? [];
      points.push({ ...point, mean: point.mean / point.layers });
      curves.set(matrix, points);
    }
  });
  for (const points of curves.values()) points.sort((a, b) => a.x - b.x);
  return curves;
}

const powers = (value: number | string): string => decimal(Number(value));
const neutralPoint: Record<ScaleKind, number | null> = { ratio: 1, signed: 0, sequential: null, log: null };

/** The value of no difference, as a line; and the step whose heat map is shown. */
function guides(kind: ScaleKind, shownX: number | null, { theme }: ChartFrame): object {
  const neutral = neutralPoint[kind];
  const line = { symbol: 'none', silent: true, animation: false, label: { show: false } };
  return {
    ...line,
    data: [
      ...(neutral === null ? [] : [{ yAxis: neutral, lineStyle: { color: theme.rule, type: 'solid', width: 1.2 } }]),
      ...(shownX === null ? [] : [{ xAxis: shownX, lineStyle: { color: theme.muted, type: 'dotted', width: 1.4 } }]),
    ],
  };
}

const tipText = (matrix: string, quantity: CellQuantity, { mean, low, high, layers }: StepPoint): string =>
  layers === 1
    ? `${matrix}: ${quantityText(quantity, mean)}`
    : `${matrix}: ${quantityText(quantity, mean)}, layers ${decimal(low)} to ${decimal(high)}`;

/** More steps than this, and bands read better than whiskers. */
const mostWhiskers = 16;
const whiskerGapPx = 5;

/** Ranges over the layers; whiskers stand beside each other, matrix by matrix. */
function rangeMarks(ranges: IntervalPoint[], matrix: string, color: string, panel: number, place: number): object {
  if (ranges.length > mostWhiskers) return intervalBand(ranges, matrix, color, panel);
  return whiskers(ranges, matrix, color, panel, { offsetPx: whiskerGapPx * place });
}

/** Axis of one quantity that holds its ranges too, which ECharts does not look at. */
function rangeAxis(
  scale: ScaleKind,
  curves: Map<Projection, StepPoint[]>,
): { min?: number; max?: number; step?: number } {
  const points = [...curves.values()].flat();
  const [low, high] = [Math.min(...points.map((one) => one.low)), Math.max(...points.map((one) => one.high))];
  if (scale === 'log' || !(high > low)) return {};
  const step = roundStep(high - low);
  const at = (value: number): number => Number((step * value).toPrecision(6));
  return { min: at(Math.floor(low / step)), max: at(Math.ceil(high / step)), step };
}

interface Drawing {
  matrices: Projection[];
  /** One for each quantity. */
  curves: Map<Projection, StepPoint[]>[];
  frame: ChartFrame;
  shownX: number | null;
  /** One quantity has the figure for itself. */
  single: boolean;
}

function panelSeries(quantity: CellQuantity, panel: number, drawing: Drawing): object[] {
  const { matrices, curves, frame, shownX, single } = drawing;
  return matrices.flatMap((matrix, index) => {
    const points = curves[panel]?.get(matrix) ?? [];
    const color = frame.theme.matrices[projections.indexOf(matrix)]!;
    const ranges = points
      .filter(({ layers }) => layers > 1)
      .map(({ x, low, high }): IntervalPoint => ({ x, low, high }));
    const data = points.map((point): TipPoint => ({
      value: [point.x, point.mean],
      tip: tipText(matrix, quantity, point),
    }));
    const extra = index === 0 ? { markLine: guides(quantity.scale, shownX, frame) } : {};
    return [
      curve(data, { name: matrix, color, panel, extra, width: single ? 2 : 1.6 }),
      ...(single ? [rangeMarks(ranges, matrix, color, panel, index - (matrices.length - 1) / 2)] : []),
    ];
  });
}

/** @param shown index of the target whose heat map is on the page; null: none */
export function trajectory(
  result: Pair,
  quantities: readonly CellQuantity[],
  shown: number | null,
  frame: ChartFrame,
): Figure | null {
  const present = new Set(result.rows.flat().map(({ matrix }: MatrixSummary) => matrix));
  const matrices = projections.filter((matrix) => present.has(matrix));
  const { name, x } = positions(result);
  if (matrices.length === 0) return null;
  const single = quantities.length === 1;
  const spread = { min: Math.min(...x), max: Math.max(...x) };
  const curves = quantities.map((quantity) => overSteps(result, quantity));
  const specs = quantities.map((quantity, index) => ({
    title: quantityTitle(quantity),
    x: { name, ...(spread.max > spread.min ? spread : {}) },
    y: {
      name: '',
      scale: true,
      labelWidthPx: 46,
      ...(single ? rangeAxis(quantity.scale, curves[index]!) : {}),
      ...(quantity.scale === 'log' ? { kind: 'log' as const, format: powers } : {}),
    },
  }));
  const columns = single ? 1 : columnsFor(frame, 3, 330);
  const layout = { columns, plotHeightPx: single ? 300 : 150, leftPx: 62, legend: [...matrices] };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const shownX = shown === null ? null : (x[shown] ?? null);
  const drawing = { matrices, curves, frame, shownX, single };
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: quantities.flatMap((quantity, panel) => panelSeries(quantity, panel, drawing)),
      legend: legend([...matrices], frame),
      tooltip: tooltip(frame.theme, 'axis', (at) => `${name} ${at}`),
    },
    summary: `${quantities.map(({ label }) => label).join('; ')}, by matrix type over ${result.targets.length} checkpoints.`,
    table: trajectoryTable(result, quantities, drawing),
  };
}

function trajectoryTable(
  result: Pair,
  quantities: readonly CellQuantity[],
  { matrices, curves }: Drawing,
): Figure['table'] {
  const { name, x } = positions(result);
  const columns = quantities.flatMap((quantity) => {
    const title = quantityTitle(quantity);
    return [`${title}, mean`, `${title}, least`, `${title}, most`];
  });
  const byStep = curves.map(
    (ofQuantity) =>
      new Map([...ofQuantity].map(([matrix, points]) => [matrix, new Map(points.map((point) => [point.x, point]))])),
  );
  const rows = result.targets.flatMap((target, index) =>
    matrices.map((matrix) => {
      const numbers = byStep.flatMap((ofQuantity) => {
        const point = ofQuantity.get(matrix)?.get(x[index] ?? NaN);
        return point === undefined ? [null, null, null] : [point.mean, point.low, point.high];
      });
      return [target.name, x[index] ?? null, matrix, ...numbers];
    }),
  );
  return { columns: ['target', name, 'matrix', ...columns], rows };
}
