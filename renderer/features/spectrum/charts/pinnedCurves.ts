/** Several matrices beside each other: in the same panels, or one kind of curve in a panel each, with equal axes. */
import type { ChartFrame, Figure, FigureTable } from '../../../figures/figure.ts';
import { curve, legend, still, tooltip, type TipPoint } from '../../../figures/marks.ts';
import {
  angleSide,
  curvePanels,
  curvePoints,
  curvesTable,
  deltaSigmaOf,
  indicesOf,
  isTrivial,
  panelSeries,
  panelSpec,
  panelTitles,
  zeroLine,
  type CurvePanel,
  type CurvesOfMatrix,
} from '../../../figures/matrixCurves.ts';
import { columnsFor, panels, type PanelSpec } from '../../../figures/panels.ts';
import { decimal, degrees } from '../../../figures/quantities.ts';

export interface PinnedMatrix {
  /** "layer 3 q · peak → SFT_End". */
  label: string;
  curves: CurvesOfMatrix;
}

/** What a panel draws of a matrix: solid, and dashed beside it. */
function linesOf(kind: CurvePanel, matrix: CurvesOfMatrix): { solid: number[]; dashed: number[] } {
  if (kind === 'spectra') return { solid: matrix.sTarget, dashed: matrix.sReference };
  if (kind === 'deltaSigma') return { solid: deltaSigmaOf(matrix), dashed: matrix.deltaSigmaNull };
  const side = angleSide(matrix, kind);
  if (isTrivial(side)) return { solid: [], dashed: [] };
  return { solid: side.rad.map(degrees), dashed: side.nullRad.map(degrees) };
}

const dashedMeans: Record<CurvePanel, string> = {
  spectra: 'reference',
  deltaSigma: 'random update',
  left: 'null',
  right: 'null',
};
const panelName = (kind: CurvePanel): string =>
  kind === 'left' || kind === 'right' ? `${kind === 'left' ? 'Left' : 'Right'} angles` : panelTitles[kind];
const countOf = (kind: CurvePanel, { sReference, leftRad }: CurvesOfMatrix): number =>
  kind === 'left' || kind === 'right' ? leftRad.length : sReference.length;

function overlaySeries(
  kind: CurvePanel,
  panel: number,
  pins: PinnedMatrix[],
  logAngles: boolean,
  frame: ChartFrame,
): object[] {
  const unit = kind === 'left' || kind === 'right' ? '°' : '';
  return pins.flatMap(({ label, curves }, index) => {
    const { solid, dashed } = linesOf(kind, curves);
    const indices = indicesOf([solid, dashed], null);
    const positive = kind === 'spectra' || (logAngles && unit === '°');
    const points = (values: number[], what: string): TipPoint[] =>
      curvePoints(values, indices, (y) => `${label}${what}: ${decimal(y)}${unit}`, { positive });
    const look = { name: label, color: frame.theme.matrices[index]!, panel, symbol: 'none' } as const;
    const zero = kind === 'deltaSigma' && index === 0 ? { markLine: zeroLine(frame) } : {};
    return [
      curve(points(dashed, `, ${dashedMeans[kind]}`), {
        ...look,
        dashed: true,
        width: 1.2,
        opacity: 0.75,
        extra: zero,
      }),
      curve(points(solid, ''), { ...look, width: 1.8 }),
    ];
  });
}

/** All pinned matrices in the same four panels, one colour each; what is random (or the reference) is dashed. */
function overlay(pins: PinnedMatrix[], logAngles: boolean, frame: ChartFrame): Omit<Figure, 'table' | 'summary'> {
  const specs = curvePanels.map((kind): PanelSpec => {
    const count = Math.max(...pins.map(({ curves }) => countOf(kind, curves)));
    return panelSpec(kind, count, panelName(kind), { logAngles });
  });
  const names = pins.map(({ label }) => label);
  const layout = { columns: columnsFor(frame, 2, 330), plotHeightPx: 200, leftPx: 74, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: curvePanels.flatMap((kind, panel) => overlaySeries(kind, panel, pins, logAngles, frame)),
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (index) => `index ${index}`),
    },
  };
}

/** Ends of an axis that all panels share; angles have theirs in degrees, powers of ten find theirs. */
function sharedExtent(kind: CurvePanel, pins: PinnedMatrix[]): { min?: number; max?: number } {
  if (kind !== 'deltaSigma') return {};
  let [low, high] = [0, 0];
  for (const { curves } of pins) {
    const { solid, dashed } = linesOf(kind, curves);
    for (const value of [...solid, ...dashed]) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (high === low) return {};
  const round = (value: number): number => Number((1.04 * value).toPrecision(2));
  return { min: round(low), max: round(high) };
}

function multiples(
  kind: CurvePanel,
  pins: PinnedMatrix[],
  logAngles: boolean,
  frame: ChartFrame,
): Omit<Figure, 'table' | 'summary'> {
  const extent = sharedExtent(kind, pins);
  const specs = pins.map(({ label, curves }): PanelSpec => {
    const spec = panelSpec(kind, countOf(kind, curves), label, { logAngles });
    return { ...spec, y: { ...spec.y, ...extent } };
  });
  const drawn = pins.map(({ curves }, panel) => panelSeries(kind, { matrix: curves, frame, logAngles }, panel));
  const names = [...new Set(drawn.flat().map((one) => (one as { name: string }).name))];
  const layout = { columns: columnsFor(frame, 3, 330), plotHeightPx: 180, leftPx: 74, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series: drawn.flat(),
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (index) => `index ${index}`),
    },
  };
}

function pinnedTable(pins: PinnedMatrix[]): FigureTable {
  const tables = pins.map(({ label, curves }) => ({ label, table: curvesTable(curves) }));
  return {
    columns: ['matrix', ...(tables[0]?.table.columns ?? [])],
    rows: tables.flatMap(({ label, table }) => table.rows.map((row) => [label, ...row])),
  };
}

export interface PinnedView {
  /** `overlay`, or the kind of curve that gets a panel for each matrix. */
  kind: string;
  logAngles: boolean;
}

export function pinnedCurves(pins: PinnedMatrix[], view: PinnedView, frame: ChartFrame): Figure | null {
  if (pins.length === 0) return null;
  const kind = curvePanels.find((one) => one === view.kind);
  return {
    ...(kind === undefined ? overlay(pins, view.logAngles, frame) : multiples(kind, pins, view.logAngles, frame)),
    summary: `Curves of ${pins.length} matrices: ${pins.map(({ label }) => label).join('; ')}.`,
    table: pinnedTable(pins),
  };
}
