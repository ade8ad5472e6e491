import { describe, expect, test } from 'vitest';
import type { Run } from '../../../../../main/contract/runs.ts';
import { overlay } from '../../../../../renderer/features/runs/charts/overlay.ts';
import { metricAxis, metricLabel } from '../../../../../renderer/features/runs/metricNames.ts';
import { columnChoices, filteredRuns, sortedRuns } from '../../../../../renderer/features/runs/runRows.ts';
import { settingsDiff } from '../../../../../renderer/features/runs/settingsDiff.ts';
import { lightCharts } from '../../../../../renderer/figures/palette.ts';

const run = (id: string, set: Partial<Run> = {}): Run => ({
  id,
  studyId: 's',
  studyName: 'Study',
  stageId: 'seed-0.sft',
  kind: 'sft',
  title: 'SFT on ID data · seed 0',
  seed: 0,
  state: 'succeeded',
  createdAtMs: 0,
  startedAtMs: 0,
  endedAtMs: 1000,
  points: 10,
  lastStep: 10,
  last: {},
  peakOod: null,
  note: '',
  tags: [],
  ...set,
});

describe('the table of runs', () => {
  test('keeps runs that have all words of the filter, wherever they stand', () => {
    const runs = [run('a', { tags: ['baseline'] }), run('b', { note: 'Too hot', kind: 'rl' }), run('c')];
    const ids = (filter: string, kind = 'all'): string[] => filteredRuns(runs, filter, kind).map(({ id }) => id);
    expect(ids('base study')).toEqual(['a']);
    expect(ids('HOT')).toEqual(['b']);
    expect(ids('', 'sft')).toEqual(['a', 'c']);
    expect(ids('study')).toEqual(['a', 'b', 'c']);
    expect(ids('nothing')).toEqual([]);
  });

  test('sorts both ways; runs without the quantity come last', () => {
    const runs = [run('none'), run('low', { last: { loss: 1 } }), run('high', { last: { loss: 2 } })];
    const ids = (sort: string): string[] => sortedRuns(runs, sort).map(({ id }) => id);
    expect(ids('loss')).toEqual(['low', 'high', 'none']);
    expect(ids('-loss')).toEqual(['high', 'low', 'none']);
    const titled = [run('a', { title: 'seed 10' }), run('b', { title: 'seed 9' })];
    expect(sortedRuns(titled, 'title').map(({ id }) => id)).toEqual(['b', 'a']);
  });

  test('offers every quantity of any run, the usual ones first', () => {
    const runs = [run('a', { last: { entropy: 1, loss: 1 } }), run('b', { last: { oodAccuracy: 1 } })];
    expect(columnChoices(runs)).toEqual(['peakOod', 'oodAccuracy', 'loss', 'entropy']);
  });
});

test('only settings that differ are rows; a missing one differs from any value', () => {
  const { rows, equal } = settingsDiff([
    { 'sft.steps': 500, seed: 0, arm: 'ppoPlain', starts: [0, 'peak'] },
    { 'sft.steps': 500, seed: 1, starts: [0, 'peak'] },
  ]);
  expect(equal).toBe(2);
  expect(rows).toEqual([
    { path: 'seed', values: ['0', '1'] },
    { path: 'arm', values: ['ppoPlain', null] },
  ]);
});

test('quantities have names and units', () => {
  expect(metricLabel('updateNormLayer2')).toBe('Update norm, layer 2');
  expect(metricLabel('somethingNew')).toBe('Something new');
  expect(metricAxis('oodAccuracy')).toBe('OOD accuracy (%)');
  expect(metricAxis('loss')).toBe('Training loss (nats per token)');
});

describe('the overlay', () => {
  const frame = { theme: lightCharts, widthPx: 900 };
  const curve = (id: string, values: number[], smoothed: number[] | null = null) => ({
    id,
    points: values.length,
    steps: values.map((_, step) => step),
    values,
    smoothed,
  });
  const view = { metric: 'oodAccuracy', logX: false, logY: false, names: new Map([['a', 'one']]) };
  interface Series {
    name: string;
    data: { value: [number, number] }[];
    lineStyle: { opacity: number };
  }
  const seriesOf = (figure: ReturnType<typeof overlay>): Series[] => figure!.option['series'] as Series[];

  test('draws shares in percent; the average before the faint values, so that the legend shows its colour', () => {
    const figure = overlay([curve('a', [0.1, 0.5], [0.1, 0.3])], view, frame);
    const [mean, raw] = seriesOf(figure);
    expect(mean!.data.map(({ value }) => value)).toEqual([[0, 10], [1, 30]]); // prettier-ignore
    expect(raw!.data.map(({ value }) => value)).toEqual([[0, 10], [1, 50]]); // prettier-ignore
    expect(raw!.lineStyle.opacity).toBeLessThan(mean!.lineStyle.opacity);
    expect(figure!.table.rows).toEqual([['one', 0, 10, 10], ['one', 1, 50, 30]]); // prettier-ignore
    expect(figure!.summary).toContain('one 50.0 % at step 1');
  });

  test('leaves out what logarithmic axes cannot show, and is nothing without points', () => {
    const figure = overlay([curve('a', [0, 0.5])], { ...view, logY: true }, frame);
    expect(seriesOf(figure)[0]!.data.map(({ value }) => value)).toEqual([[1, 50]]);
    const both = overlay([curve('a', [0.5, 0])], { ...view, logY: true, logX: true }, frame);
    expect(both).toBeNull();
  });
});
