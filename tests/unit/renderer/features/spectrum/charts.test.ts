/** Every figure of the Spectrum page is drawn by ECharts itself, in both themes, wide and narrow. */
import { describe, expect, it } from 'vitest';
import type { MatrixSummary } from '../../../../../main/contract/spectral.ts';
import { cellQuantities, cellQuantityEntries } from '../../../../../renderer/features/spectrum/cellQuantities.ts';
import { comparisonHeatmap, heatmapAxes } from '../../../../../renderer/features/spectrum/charts/comparisonHeatmap.ts';
import { pinnedCurves, type PinnedMatrix } from '../../../../../renderer/features/spectrum/charts/pinnedCurves.ts';
import { overSteps, positions, trajectory } from '../../../../../renderer/features/spectrum/charts/trajectory.ts';
import { curvesOf } from '../../../../../renderer/features/spectrum/matrixDetail.ts';
import type { ChartFrame, Figure } from '../../../../../renderer/figures/figure.ts';
import { matrixCurves } from '../../../../../renderer/figures/matrixCurves.ts';
import { darkCharts, lightCharts } from '../../../../../renderer/figures/palette.ts';
import { frame, seriesOf, svgOf } from '../../drawn.ts';
import { comparisonSample, curvesSample, summaryOf } from '../../spectralSample.ts';

const along = comparisonSample([10, 20, 40]);
const all = Object.values(cellQuantities);
const detail = { summary: summaryOf(0, 'q'), curves: curvesSample() };
const pins: PinnedMatrix[] = [
  { label: 'layer 0 q', curves: curvesOf(detail) },
  { label: 'layer 1 up', curves: curvesOf({ ...detail, curves: curvesSample({ sTarget: [3, 2, 0] }) }) },
];
const shown = { axes: heatmapAxes(along), everyTarget: along.rows.flat(), chosen: null, pinned: [] };
const view = { ...shown, summaries: along.rows[0]!, quantity: 'relativeChange' };
const builders: Record<string, (frame: ChartFrame) => Figure | null> = {
  ...Object.fromEntries(
    cellQuantityEntries.map(([quantity]) => [
      `heat map of ${quantity}`,
      (at: ChartFrame) => comparisonHeatmap({ ...view, quantity }, at),
    ]),
  ),
  'curves of a matrix': (at) => matrixCurves(curvesOf(detail), at),
  'part of the curves': (at) => matrixCurves(curvesOf(detail), at, undefined, { range: [2, 3], logAngles: true }),
  'pinned, overlaid': (at) => pinnedCurves(pins, { kind: 'overlay', logAngles: false }, at),
  'pinned, a panel each': (at) => pinnedCurves(pins, { kind: 'deltaSigma', logAngles: false }, at),
  'pinned spectra, a panel each': (at) => pinnedCurves(pins, { kind: 'spectra', logAngles: false }, at),
  'pinned angles, log': (at) => pinnedCurves(pins, { kind: 'right', logAngles: true }, at),
  'trajectory, one quantity': (at) => trajectory(along, [cellQuantities.relativeChange], 1, at),
  'trajectory, all quantities': (at) => trajectory(along, all, null, at),
  'trajectory of one step': (at) => trajectory(comparisonSample([10]), all, 0, at),
};

describe.each(Object.entries(builders))('%s', (_name, build) => {
  for (const theme of [lightCharts, darkCharts])
    for (const widthPx of [1200, 560])
      it(`draws, ${theme.name}, ${widthPx} px`, () => {
        const figure = build({ theme, widthPx })!;
        const svg = svgOf(figure, widthPx);
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
        expect(svg).toContain('<path');
        expect(figure.summary).not.toMatch(/NaN|undefined/);
      });
  it('has a table whose rows fill its columns', () => {
    const { table } = build(frame)!;
    expect(table.rows.length).toBeGreaterThan(0);
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
    expect(JSON.stringify(table)).not.toContain('undefined');
  });
});

describe('heat map', () => {
  const labelsOf = (figure: Figure | null): string[] =>
    seriesOf(figure)[0]!.data.map((one) => (one as unknown as { label: { formatter: string } }).label.formatter);
  const of = (summaries: MatrixSummary[], quantity: string): Figure | null =>
    comparisonHeatmap(
      { ...shown, summaries, quantity, everyTarget: summaries, axes: { layers: [0, 1], matrices: ['q', 'k', 'up'] } },
      frame,
    );

  it('draws an angle over its null, and nothing where all are forced', () => {
    const trivial = summaryOf(0, 'k', { meanLeftAngleRad: null, meanLeftNullRad: null });
    expect(labelsOf(of([summaryOf(0, 'q'), trivial], 'leftAngle'))).toEqual(['0.25', '– ○']);
    const data = seriesOf(of([trivial], 'leftAngle'))[0]!.data as unknown as { visualMap?: boolean }[];
    expect(data[0]!.visualMap).toBe(false);
  });
  it('marks unstable pairings, rounding and what did not change', () => {
    const marked = [
      summaryOf(0, 'q', { pairingUnstable: true, relativeChange: 0.001 }),
      summaryOf(0, 'k', { relativeChange: 0, changedShare: 0 }),
    ];
    expect(labelsOf(of(marked, 'relativeChange'))).toEqual(['0.1 †‡', '0 =']);
  });
  it('frames the chosen cell last and says the pinned ones', () => {
    const [first, second] = along.rows[0]!;
    const chosen = { ...view, chosen: first!.weight, pinned: [second!.weight] };
    const data = seriesOf(comparisonHeatmap(chosen, frame))[0]!.data as unknown as { key: string }[];
    expect(data[data.length - 1]!.key).toBe(first!.weight);
    expect(labelsOf(comparisonHeatmap(chosen, frame))[0]).toContain('◆');
  });
  it('has no figure before the first matrix, and one with a hole after it', () => {
    expect(of([], 'relativeChange')).toBeNull();
    expect(seriesOf(of(along.rows[0]!.slice(0, 3), 'relativeChange'))[0]!.data).toHaveLength(3);
  });
  it('keeps the places of cells to come while the job runs, and only those that are there after it', () => {
    const running = { ...along, rows: [along.rows[0]!.slice(0, 1), [], []], done: 1 };
    expect(heatmapAxes(running)).toEqual({ layers: [0, 1], matrices: ['q', 'up'] });
    expect(heatmapAxes({ ...running, settings: { ...along.settings, layers: [4] } }).layers).toEqual([0, 4]);
    expect(heatmapAxes({ ...running, rows: [[summaryOf(3, 'v')]], done: 1, total: 1 })).toEqual({
      layers: [3],
      matrices: ['v'],
    });
  });
  it('has the same colours for the same number at every step', () => {
    const visualMap = (rows: number): unknown => {
      const figure = comparisonHeatmap({ ...view, summaries: along.rows[rows]! }, frame)!;
      const { min, max } = (figure.option as { visualMap: { min: number; max: number } }).visualMap;
      return [min, max];
    };
    expect(visualMap(0)).toEqual(visualMap(2));
  });
  it('moves over its cells in their grid', () => {
    expect(comparisonHeatmap(view, frame)!.picks!.map(({ at }) => at)).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });
});

describe('curves', () => {
  it('draw a log spectrum without what it has no place for', () => {
    const curves = curvesOf({ ...detail, curves: curvesSample({ sTarget: [3, 2, 0] }) });
    const [reference, target] = seriesOf(matrixCurves(curves, frame));
    expect(reference!.data).toHaveLength(3);
    expect(target!.data.map(({ value }) => value)).toEqual([
      [1, 3],
      [2, 2],
    ]);
  });
  it('of 4096 values are drawn by their extremes, the table has all', () => {
    const long = Array.from({ length: 4096 }, (_, index) => 5 - index / 1000);
    const sTarget = [...long];
    sTarget[1234] = 9;
    const figure = matrixCurves(curvesOf({ ...detail, curves: curvesSample({ sReference: long, sTarget }) }), frame);
    const target = seriesOf(figure)[1]!;
    expect(target.data.length).toBeLessThan(1000);
    expect(target.data.some(({ value }) => value[1] === 9)).toBe(true);
    expect(figure.table.rows).toHaveLength(4096);
  });
  it('of two pinned matrices have a colour each and a legend with both names', () => {
    const series = seriesOf(pinnedCurves(pins, { kind: 'overlay', logAngles: true }, frame));
    expect(new Set(series.filter(({ name }) => name === 'layer 0 q').map(({ color }) => color)).size).toBe(1);
    expect(new Set(series.map(({ color }) => color)).size).toBe(2);
  });
});

describe('trajectory', () => {
  it('is the mean over the layers with its range, at the steps', () => {
    const points = overSteps(along, cellQuantities.relativeChange).get('q')!;
    expect(
      points.map(({ x, mean, low, high }) => [x, mean, low, high].map((value) => Number(value.toFixed(9)))),
    ).toEqual([
      [10, 1.5, 1, 2],
      [20, 3, 2, 4],
      [40, 4.5, 3, 6],
    ]);
  });
  it('has room for the ranges over the layers', () => {
    const figure = trajectory(along, [cellQuantities.relativeChange], null, frame)!;
    const [axis] = (figure.option as { yAxis: { min: number; max: number }[] }).yAxis;
    expect(axis!.min).toBeLessThanOrEqual(1);
    expect(axis!.max).toBeGreaterThanOrEqual(12);
  });
  it('counts places where steps are missing or doubled', () => {
    expect(positions(comparisonSample([10, null]))).toEqual({ name: 'place in the trajectory', x: [1, 2] });
    expect(positions(comparisonSample([10, 10])).x).toEqual([1, 2]);
    expect(positions(along)).toEqual({ name: 'step', x: [10, 20, 40] });
  });
  it('leaves out steps that are not done', () => {
    const running = { ...along, rows: [along.rows[0]!, [], []] };
    expect(overSteps(running, cellQuantities.relativeChange).get('up')).toHaveLength(1);
    expect(trajectory({ ...along, rows: [[], [], []] }, all, 0, frame)).toBeNull();
  });
});
