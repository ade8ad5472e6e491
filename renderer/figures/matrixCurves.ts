/**
 * One matrix, two checkpoints (the paper's Figures 13 and 14): both spectra, delta sigma beside the change that a random
 * update of the same norm makes, and the principal angles of the leading subspaces beside their null. Angles that are 0
 * for any two subspaces of this rank are shaded; a side where all are is called trivial instead of drawn as a result.
 * Long curves are drawn by their extremes (decimate.ts); the table has every value.
 */
import { drawnIndices } from '../../main/contract/decimate.ts';
import type { ChartFrame, Figure, FigureTable } from './figure.ts';
import { curve, legend, still, tooltip, type TipPoint } from './marks.ts';
import { columnsFor, panels, type PanelSpec } from './panels.ts';
import { decimal, degrees } from './quantities.ts';

/** Singular values descending, angles in radians, ascending. */
export interface CurvesOfMatrix {
  weight: string;
  angleRank: number;
  sReference: number[];
  sTarget: number[];
  deltaSigmaNull: number[];
  leftRad: number[];
  leftNullRad: number[];
  leftForcedZeros: number;
  rightRad: number[];
  rightNullRad: number[];
  rightForcedZeros: number;
}

export const curvePanels = ['spectra', 'deltaSigma', 'left', 'right'] as const;
export type CurvePanel = (typeof curvePanels)[number];

/** Indices shown, from 1, both ends included; null: all. */
export type IndexRange = [first: number, last: number] | null;

export interface CurveOptions {
  range?: IndexRange;
  /** Angles far below their null are a flat line on the axis of degrees. */
  logAngles?: boolean;
}

const measured = 'target, measured';
const nullName = 'null (random update, random subspaces)';
const referenceName = 'reference';

export interface AngleSide {
  title: string;
  rad: number[];
  nullRad: number[];
  forcedZeros: number;
}

export function angleSide(matrix: CurvesOfMatrix, panel: 'left' | 'right'): AngleSide {
  const { angleRank, leftRad, leftNullRad, leftForcedZeros, rightRad, rightNullRad, rightForcedZeros } = matrix;
  return panel === 'left'
    ? { title: `Left angles, rank ${angleRank}`, rad: leftRad, nullRad: leftNullRad, forcedZeros: leftForcedZeros }
    : { title: `Right angles, rank ${angleRank}`, rad: rightRad, nullRad: rightNullRad, forcedZeros: rightForcedZeros };
}

/** Every angle is 0 by the sizes alone: the subspace is the whole space. */
export const isTrivial = ({ rad, forcedZeros }: AngleSide): boolean => forcedZeros >= rad.length;

export const deltaSigmaOf = ({ sReference, sTarget }: CurvesOfMatrix): number[] =>
  sTarget.map((s, index) => s - (sReference[index] ?? NaN));

/** Panel `kind` of curves of `count` values; `title` where it is not the panel's own. */
export function panelSpec(
  kind: CurvePanel,
  count: number,
  title: string,
  { range = null, logAngles = false }: CurveOptions = {},
): PanelSpec {
  const [first, last] = range ?? [1, count];
  const from = Math.min(first, Math.max(1, count - 1));
  const extent = { min: from, max: Math.max(from + 1, Math.min(last, count)) };
  const descending = { name: 'index, descending sigma', ...extent };
  if (kind === 'spectra')
    return { title, x: descending, y: { name: 'sigma (log)', kind: 'log', labelWidthPx: 46, format: powers } };
  if (kind === 'deltaSigma') return { title, x: descending, y: { name: 'delta sigma', labelWidthPx: 54, scale: true } };
  const ascending = { name: 'index, ascending', ...extent };
  if (logAngles)
    return { title, x: ascending, y: { name: 'angle (°, log)', kind: 'log', labelWidthPx: 46, format: powers } };
  return { title, x: ascending, y: { name: 'principal angle (°)', min: 0, max: 90, step: 15 } };
}
const powers = (value: number | string): string => decimal(Number(value));

/** Values at the drawn indices of a panel; `positive` for a log axis, which has no place for the rest. */
export function curvePoints(
  values: number[],
  indices: number[],
  tip: (value: number) => string,
  { positive = false } = {},
): TipPoint[] {
  return indices.flatMap((index) => {
    const y = values[index];
    if (y === undefined || !Number.isFinite(y) || (positive && y <= 0)) return [];
    return [{ value: [index + 1, y], tip: tip(y) }];
  });
}

/** Indices to draw of curves over the same axis. */
export function indicesOf(curves: number[][], range: IndexRange): number[] {
  const count = Math.max(0, ...curves.map((values) => values.length));
  const [first, last] = range ?? [1, count];
  return drawnIndices(curves, Math.min(first - 1, count), Math.min(last, count));
}

/** Shading of the angles that mean nothing, and its name. */
function angleZone(side: AngleSide, { theme }: ChartFrame): object {
  const name = isTrivial(side) ? 'trivial: the subspace is the whole space' : 'forced zeros';
  return {
    silent: true,
    itemStyle: { color: theme.grid, opacity: 0.7 },
    label: { color: theme.muted, fontSize: 11, position: 'inside' },
    data: side.forcedZeros > 0 ? [[{ xAxis: 0, name }, { xAxis: side.forcedZeros }]] : [],
  };
}

export function zeroLine({ theme }: ChartFrame): object {
  return {
    symbol: 'none',
    silent: true,
    animation: false,
    label: { show: false },
    lineStyle: { color: theme.rule, type: 'solid', width: 1 },
    data: [{ yAxis: 0 }],
  };
}

export interface CurveDrawing extends CurveOptions {
  matrix: CurvesOfMatrix;
  frame: ChartFrame;
}

function spectraSeries({ matrix, frame, range = null }: CurveDrawing, panel: number): object[] {
  const { sReference, sTarget } = matrix;
  const indices = indicesOf([sReference, sTarget], range);
  const points = (values: number[], label: string): TipPoint[] =>
    curvePoints(values, indices, (y) => `${label}: ${decimal(y)}`, { positive: true });
  const { theme } = frame;
  const look = { panel, symbol: 'none' } as const;
  return [
    // A broad pale line under the other: where they part, both are seen.
    curve(points(sReference, 'reference'), {
      ...look,
      name: referenceName,
      color: theme.checkpoints.last,
      width: 5,
      opacity: 0.45,
    }),
    curve(points(sTarget, 'target'), { ...look, name: measured, color: theme.matrices[0]!, width: 1.6 }),
  ];
}

function deltaSigmaSeries({ matrix, frame, range = null }: CurveDrawing, panel: number): object[] {
  const delta = deltaSigmaOf(matrix);
  const indices = indicesOf([delta, matrix.deltaSigmaNull], range);
  const { theme } = frame;
  const look = { panel, symbol: 'none' } as const;
  const nulls = curvePoints(matrix.deltaSigmaNull, indices, (y) => `random update of the same norm: ${decimal(y)}`);
  return [
    curve(nulls, {
      ...look,
      name: nullName,
      color: theme.neutral,
      dashed: true,
      width: 1.6,
      extra: { markLine: zeroLine(frame) },
    }),
    curve(
      curvePoints(delta, indices, (y) => `measured: ${decimal(y)}`),
      { ...look, name: measured, color: theme.matrices[0]! },
    ),
  ];
}

function angleSeries(side: AngleSide, drawing: CurveDrawing, panel: number): object[] {
  const { frame, range = null, logAngles = false } = drawing;
  const positive = { positive: logAngles };
  const { theme } = frame;
  const [rad, nullRad] = isTrivial(side) ? [[], []] : [side.rad.map(degrees), side.nullRad.map(degrees)];
  const indices = indicesOf([rad, nullRad], range);
  const look = { panel, symbol: 'none' } as const;
  return [
    curve(
      curvePoints(nullRad, indices, (y) => `null: ${decimal(y)}°`, positive),
      {
        ...look,
        name: nullName,
        color: theme.neutral,
        dashed: true,
        width: 1.6,
        extra: { markArea: angleZone(side, frame) },
      },
    ),
    curve(
      curvePoints(rad, indices, (y) => `measured: ${decimal(y)}°`, positive),
      { ...look, name: measured, color: theme.matrices[0]! },
    ),
  ];
}

/** The curves of one panel. */
export function panelSeries(kind: CurvePanel, drawing: CurveDrawing, panel: number): object[] {
  if (kind === 'spectra') return spectraSeries(drawing, panel);
  if (kind === 'deltaSigma') return deltaSigmaSeries(drawing, panel);
  return angleSeries(angleSide(drawing.matrix, kind), drawing, panel);
}

/** Every value of the curves, one row an index. */
export function curvesTable(matrix: CurvesOfMatrix): FigureTable {
  const at = (values: number[], index: number): number | null => values[index] ?? null;
  const delta = deltaSigmaOf(matrix);
  return {
    columns: [
      'index',
      'sigma reference',
      'sigma target',
      'delta sigma',
      'delta sigma, random update',
      'left angle (rad)',
      'left null (rad)',
      'right angle (rad)',
      'right null (rad)',
    ],
    rows: matrix.sReference.map((s, index) => [
      index + 1,
      s,
      at(matrix.sTarget, index),
      at(delta, index),
      at(matrix.deltaSigmaNull, index),
      at(matrix.leftRad, index),
      at(matrix.leftNullRad, index),
      at(matrix.rightRad, index),
      at(matrix.rightNullRad, index),
    ]),
  };
}

export const panelTitles = { spectra: 'Spectra', deltaSigma: 'Delta sigma, target - reference' };
const largest = (values: number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The curves of `matrix` in the panels asked for. */
export function matrixCurves(
  matrix: CurvesOfMatrix,
  frame: ChartFrame,
  shown: readonly CurvePanel[] = curvePanels,
  options: CurveOptions = {},
): Figure {
  const specs = shown.map((kind) =>
    kind === 'left' || kind === 'right'
      ? panelSpec(kind, angleSide(matrix, kind).rad.length, angleSide(matrix, kind).title, options)
      : panelSpec(kind, matrix.sReference.length, panelTitles[kind], options),
  );
  const names = [...(shown.includes('spectra') ? [referenceName] : []), measured, nullName];
  const columns = shown.length === 4 ? columnsFor(frame, 2, 330) : columnsFor(frame, 3, 330);
  const { heightPx, ...axes } = panels(specs, { columns, plotHeightPx: 200, leftPx: 74, legend: names }, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: shown.flatMap((kind, panel) => panelSeries(kind, { matrix, frame, ...options }, panel)),
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (index) => `index ${index}`),
    },
    summary:
      `${matrix.weight}: largest |delta sigma| ${decimal(largest(deltaSigmaOf(matrix)))}, ` +
      `largest angle left ${decimal(degrees(largest(matrix.leftRad)))}°, right ${decimal(degrees(largest(matrix.rightRad)))}°.`,
    table: curvesTable(matrix),
  };
}
