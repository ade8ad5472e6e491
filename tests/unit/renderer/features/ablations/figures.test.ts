/** Every figure of the Ablations page is drawn by ECharts itself, in both themes, wide and narrow. */
import { describe, expect, it } from 'vitest';
import type { SweepPointResult, SweepResult } from '../../../../../main/contract/sweeps.ts';
import { editFigure } from '../../../../../renderer/features/ablations/charts/editFigure.ts';
import { gridHeatmap, gridQuantities } from '../../../../../renderer/features/ablations/charts/gridHeatmap.ts';
import { spreadLabels } from '../../../../../renderer/features/ablations/charts/ownLines.ts';
import { linesOf, pathCurve } from '../../../../../renderer/features/ablations/charts/pathCurve.ts';
import { wholeFigure } from '../../../../../renderer/features/ablations/charts/wholeFigure.ts';
import type { ChartFrame, Figure } from '../../../../../renderer/figures/figure.ts';
import { darkCharts, lightCharts } from '../../../../../renderer/figures/palette.ts';
import { frame, seriesOf, svgOf } from '../../drawn.ts';
import { own, paperFour, ref, sweepPoint, sweepResult } from '../../sweepSample.ts';

const grid = sweepResult(
  [
    ...own(),
    ...[0, 1, 2].flatMap((layer) =>
      [16, 32, null].map((top) =>
        sweepPoint(70 - layer, 10 + layer, {
          axis: 'grid',
          k: layer,
          layers: [layer],
          ranks: top === null ? null : { top },
        }),
      ),
    ),
  ],
  { axes: ['grid'] },
);
const whole = sweepResult(
  [
    ...own(),
    sweepPoint(69, 11, { axis: 'whole', edit: 'singularValues' }),
    sweepPoint(64, 30, { axis: 'whole' }),
    ...[9, 12].map((ood, replicate) => sweepPoint(70, ood, { axis: 'whole', control: 'rotation', replicate })),
    sweepPoint(60, 39, { axis: 'whole', edit: 'both' }),
  ],
  { axes: ['whole'] },
);
const alphas = [0.25, 0.5, 0.75];
const path = sweepResult(
  [0, 1].flatMap((pair) => [
    ...own(pair),
    ...alphas.map((alpha) => sweepPoint(66, 20 + 8 * alpha, { pair, axis: 'path', edit: 'interpolation', alpha })),
  ]),
  { kind: 'interpolation', alphas } as never,
  [
    { label: '', stage: 'rl', reference: ref('end'), target: ref('rlEnd') },
    { label: '', stage: 'sft', reference: ref('peak'), target: ref('end') },
  ],
);
const builders: Record<string, [SweepResult, (sweep: SweepResult, frame: ChartFrame) => Figure | null]> = {
  'values, SFT stage': [paperFour(), (sweep, at) => editFigure(sweep, 0, 'singularValues', at)],
  'vectors, RL stage': [paperFour(), (sweep, at) => editFigure(sweep, 1, 'singularVectors', at)],
  grid: [grid, (sweep, at) => gridHeatmap(sweep, 0, 'singularVectors', gridQuantities.ood!, at)],
  'grid, signed': [grid, (sweep, at) => gridHeatmap(sweep, 0, 'singularVectors', gridQuantities.oodGain!, at)],
  whole: [whole, (sweep, at) => wholeFigure(sweep, 0, at)],
  path: [path, pathCurve],
};
const withoutEvaluation = (sweep: SweepResult): SweepResult => ({
  ...sweep,
  points: sweep.points.map((point) => ({ ...point, evaluation: null })),
});

describe.each(Object.entries(builders))('%s', (name, [sweep, build]) => {
  for (const theme of [lightCharts, darkCharts])
    for (const widthPx of [1200, 560])
      it(`draws ${theme.name}, ${widthPx} px`, () => {
        const figure = build(sweep, { theme, widthPx })!;
        const svg = svgOf(figure, widthPx);
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
        expect(svg).toContain('<path');
        expect(figure.summary).not.toMatch(/NaN|undefined|Infinity/);
      });
  it('has a table whose rows fill its columns, and marks for every pick', () => {
    const figure = build(sweep, frame)!;
    for (const row of figure.table.rows) expect(row).toHaveLength(figure.table.columns.length);
    expect(JSON.stringify(figure.table)).not.toContain('undefined');
    const drawn = new Set(seriesOf(figure).flatMap(({ data }) => data.map((one) => (one as { key?: string }).key)));
    expect(figure.picks!.length).toBeGreaterThan(0);
    for (const { key, label } of figure.picks!) {
      expect(drawn).toContain(key);
      expect(label).not.toMatch(/NaN|undefined/);
    }
  });
  it('draws a sweep that has just begun', () => {
    const begun = { ...sweep, points: sweep.points.slice(0, 3) };
    const figure = build(begun, frame);
    if (figure !== null) expect(svgOf(figure)).not.toMatch(/NaN|undefined|Infinity/);
    expect(build({ ...sweep, points: [] }, frame)).toBeNull();
  });
  it('draws what can be drawn of models that cannot be evaluated here', () => {
    const figure = build(withoutEvaluation(sweep), frame);
    if (name === 'path') return expect(figure).toBeNull();
    expect(svgOf(figure!)).not.toMatch(/NaN|undefined|Infinity/);
    expect(figure!.picks!.length).toBeGreaterThan(0);
  });
});

describe('the figure of an edit', () => {
  const figure = editFigure(paperFour(), 0, 'singularVectors', frame)!;
  const drawn = seriesOf(figure);
  const named = (name: string, panel: number) =>
    drawn.filter((one) => one.name === name && one.xAxisIndex === panel && one.data.length > 0);

  it('has layers and ranks side by side, and three rows', () => {
    const { xAxis } = figure.option as { xAxis: { data: string[] }[] };
    expect(xAxis.map(({ data }) => data)).toEqual(
      [0, 1, 2].flatMap(() => [
        ['1', '2', '3'],
        ['16', '48', '64'],
      ]),
    );
  });
  it('draws ID and OOD with their intervals and the lines of target and reference', () => {
    const [curve] = named('OOD, 95 % CI', 0);
    expect(curve!.data.map(({ value }) => value)).toEqual([
      ['1', 15],
      ['2', 20],
      ['3', 25],
    ]);
    const { markLine } = named('ID, 95 % CI', 0)[0]!;
    expect(markLine!.data.map(({ label }) => label.formatter)).toEqual([
      'SFT_End 70.0',
      'SFT peak 60.0',
      'SFT_End 10.0',
      'SFT peak 40.0',
    ]);
    const whiskers = drawn.filter((one) => one.name === 'ID, 95 % CI' && one.type === 'custom' && one.xAxisIndex === 0);
    expect(whiskers).toHaveLength(1);
  });
  it('draws controls as the mean of whole models, never pooled', () => {
    const means = named('scrambled controls: range and mean', 0).filter(({ type }) => type === 'line');
    const [, ood] = means;
    expect(ood!.data[0]!.value[1]).toBeCloseTo(31 / 3, 10);
    const [curve] = named('OOD, 95 % CI', 0);
    expect(curve!.data[0]!.tip).toContain('3 scrambled controls 9.0 to 12.0 %, mean 10.3 %');
  });
  it('says what three replicates can and cannot show', () => {
    const [curve] = named('OOD, 95 % CI', 0);
    expect(curve!.data[2]!.tip).toContain(
      'not distinguishable from its controls (p = 0.25; with 3 p cannot go below 0.25)',
    );
  });
  it('marks points whose effective rank is below the request', () => {
    const [mark] = named('effective rank below the request', 1);
    expect(mark!.data.map(({ value }) => value[0])).toEqual(['48', '64']);
    expect(named('effective rank below the request', 0)).toEqual([]);
  });
  it('draws the increment of each point over the one before, the first over the target', () => {
    const nets = named('OOD, 95 % CI', 2).filter(({ type }) => type === 'scatter');
    expect(nets[0]!.data.map(({ value }) => value)).toEqual([
      ['1', expect.closeTo(5, 10)],
      ['2', expect.closeTo(5, 10)],
      ['3', expect.closeTo(5, 10)],
    ]);
    expect(nets[0]!.data[0]!.tip).toContain('5 episodes gained, 0 lost of 100');
  });
  it('shows sizes far apart on a logarithmic axis', () => {
    const values = editFigure(paperFour(), 0, 'singularValues', frame)!;
    const { yAxis } = values.option as { yAxis: { type: string }[] };
    expect(yAxis.slice(-2).map(({ type }) => type)).toEqual(['log', 'log']);
  });
  it('leaves out increments where points are no prefix of each other', () => {
    const each = { ...paperFour() };
    each.settings = {
      ...each.settings,
      sweep: { ...each.settings.sweep, layerMode: 'each', rankMode: 'band' } as never,
    };
    const { xAxis } = editFigure(each, 0, 'singularVectors', frame)!.option as { xAxis: object[] };
    expect(xAxis).toHaveLength(4);
  });
});

describe('the interpolation curve', () => {
  it('joins pairs that share a checkpoint, and does not where something lies beyond an end', () => {
    expect(linesOf(path).map(({ ends }) => ends)).toEqual([['RL_End', 'SFT_End', 'SFT peak']]);
    expect(linesOf(path)[0]!.stops.map(({ at }) => at)).toEqual([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]);
    // A quarter of the way is nearer to the target: alpha grows towards the reference.
    const [, quarter, half] = linesOf(path)[0]!.stops.map(({ point }) => point);
    expect([quarter!.alpha, half!.alpha]).toEqual([0.25, 0.5]);
    const beyond = [...path.points, sweepPoint(1, 1, { axis: 'path', edit: 'interpolation', alpha: 1.5 })];
    expect(linesOf({ ...path, points: beyond })).toHaveLength(2);
  });
});

it('a grid has a cell for each layer and rank, all ranks last, and its arrows move in two directions', () => {
  const figure = gridHeatmap(grid, 0, 'singularVectors', gridQuantities.inDist!, frame)!;
  const cells = seriesOf(figure)[0]!.data.map(({ value }) => value);
  expect(cells.slice(0, 3)).toEqual([
    ['16', '0', 70],
    ['32', '0', 70],
    ['all', '0', 70],
  ]);
  expect(figure.picks!.map(({ at }) => at).slice(2, 4)).toEqual([
    [0, 2],
    [1, 0],
  ]);
  const signed = gridHeatmap(grid, 0, 'singularVectors', gridQuantities.oodGain!, frame)!;
  expect(seriesOf(signed)[0]!.data.map(({ value }) => value[2])).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
});

it('controls of different kinds are never one group', () => {
  const rotations = [20, 22].map((ood, replicate): SweepPointResult => {
    return sweepPoint(70, ood, { axis: 'layers', k: 1, layers: [0], control: 'rotation', replicate });
  });
  const sweep = paperFour();
  const drawn = seriesOf(
    editFigure({ ...sweep, points: [...sweep.points, ...rotations] }, 0, 'singularVectors', frame),
  );
  const tips = drawn.flatMap(({ data }) => data.map((one) => one.tip)).join();
  expect(tips).toContain('2 rotation controls');
  expect(tips).toContain('3 scrambled controls');
  expect(drawn.filter(({ name }) => name === 'rotation controls: range and mean').length).toBeGreaterThan(0);
});

it('labels of lines that are close are pushed apart, those that are not stay', () => {
  expect(spreadLabels([100, 40, 102, 200])).toEqual([0, 0, 11, 0]);
  expect(spreadLabels([50, 50, 50])).toEqual([0, 13, 26]);
});
