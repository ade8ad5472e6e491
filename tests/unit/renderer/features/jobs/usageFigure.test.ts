import { expect, test } from 'vitest';
import type { Usage, UsageSample } from '../../../../../main/contract/queue.ts';
import { usageFigure } from '../../../../../renderer/features/jobs/usageFigure.ts';
import { frame, seriesOf, svgOf } from '../../drawn.ts';

const use = (id: string, cores: number, rssBytes: number, gpuBytes: number | null = null) => ({ id, cores, rssBytes, gpuBytes }); // prettier-ignore
const sample = (timeMs: number, jobs: UsageSample['jobs'], gpus: UsageSample['gpus'] = []): UsageSample => ({
  ...{ timeMs, busyCores: 3, freeMemoryBytes: 4e9, gpus, jobs },
});
const usage = (samples: UsageSample[]): Usage => ({ intervalMs: 2000, cores: 8, memoryBytes: 16e9, samples });
const running = [{ id: 'b', title: 'SFT' }];
const values = (name: string, panel: number, all = usage(twoJobs)): (number | string)[][] =>
  seriesOf(usageFigure(all, running, frame)).filter((one) => one.name === name && one.xAxisIndex === panel)[0]!.data.map(({ value }) => value); // prettier-ignore

/** The first has ended in between; after an idle minute the second goes on. */
const twoJobs = [
  sample(10_000, [use('a', 0.5, 1e9), use('b', 1, 2e9)]),
  sample(12_000, [use('b', 0.75, 3e9)]),
  sample(72_000, [use('b', 1, 2e9)]),
];

test('the line of all jobs holds those that have ended, a running job has its own, idle time has none', () => {
  expect(values('all jobs', 0)).toEqual([
    [10_000, 1.5],
    [12_000, 0.75],
    [12_001, null],
    [72_000, 1],
  ]);
  expect(values('SFT', 1)).toEqual([
    [10_000, 2],
    [12_000, 3],
    [12_001, null],
    [72_000, 2],
  ]);
  expect(values('machine', 0).map(([, value]) => value)).toEqual([3, 3, null, 3]);
  expect(values('machine', 2).map(([, value]) => value)).toEqual([4, 4, null, 4]);
});

test('what was used last in words, every number in the table, no panel of a GPU where none tells', () => {
  const figure = usageFigure(usage(twoJobs), running, frame)!;
  expect(figure.summary).toMatch(/1 jobs? used 1 processors? and 2.0 GB of memory; 3 of 8 processors/);
  expect(figure.table.columns.filter((name) => name.includes('GPU'))).toEqual([]);
  expect(figure.table.rows.map((row) => row.slice(1))).toEqual([
    [3, 1.5, 1, 3, 2, 4],
    [3, 0.75, 0.75, 3, 3, 4],
    [3, 1, 1, 2, 2, 4],
  ]);
  expect(svgOf(figure)).toContain('Processors in use');
  expect(usageFigure(usage([]), running, frame)).toBeNull();
});

test('a GPU: its memory beside that of the jobs, and its use where the driver tells', () => {
  const gpu = { name: 'NVIDIA A10', usedBytes: 6e9, totalBytes: 24e9, busyShare: 0.4 };
  const all = usage([sample(10_000, [use('b', 1, 2e9, 5e9)], [gpu]), sample(12_000, [use('b', 1, 2e9, 5e9)], [gpu])]);
  expect(values('NVIDIA A10', 3, all)).toEqual([
    [10_000, 6],
    [12_000, 6],
  ]);
  expect(values('SFT', 3, all)).toEqual([
    [10_000, 5],
    [12_000, 5],
  ]);
  expect(values('NVIDIA A10', 4, all)).toEqual([
    [10_000, 40],
    [12_000, 40],
  ]);
  const silent = usage([sample(10_000, [use('b', 1, 2e9)], [{ ...gpu, busyShare: null }])]);
  expect(usageFigure(silent, running, frame)!.table.columns.filter((name) => name.startsWith('GPU in use'))).toEqual(
    [],
  );
  const webGpu = usage([sample(10_000, [use('b', 1, 2e9, 5e9)])]);
  expect(usageFigure(webGpu, running, frame)!.table.columns).toContain('GPU memory in use: SFT (GB)');
});
