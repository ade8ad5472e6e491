import { expect, test } from 'vitest';
import type { Usage, UsageSample } from '../../../../../main/contract/queue.ts';
import { thinnedUsage } from '../../../../../renderer/features/jobs/thinnedUsage.ts';

const interval = 2000;
const sample = (index: number, count: number): UsageSample => ({
  timeMs: 1_000_000 + index * interval,
  busyCores: 2 + Math.sin(index),
  freeMemoryBytes: index === 17 ? 1e6 : 4e9,
  gpus: [{ name: 'g', usedBytes: index === 18 ? 9e9 : 1e9, totalBytes: 24e9, busyShare: index % 3 === 0 ? null : 0.5 }],
  jobs: [
    { id: 'a', cores: 1 + Math.cos(index), rssBytes: index === 19 ? 8e9 : 1e9, gpuBytes: null },
    // Ends in the middle of a bin.
    ...(index < count / 2 + 2 ? [{ id: 'b', cores: 0.5, rssBytes: 2e9, gpuBytes: 3e9 }] : []),
  ],
});
const usage = (count: number): Usage => ({
  ...{ intervalMs: interval, cores: 8, memoryBytes: 16e9 },
  samples: Array.from({ length: count }, (_, index) => sample(index, count)),
});

test('a few samples stay as they are', () => {
  const few = usage(180);
  expect(thinnedUsage(few)).toBe(few);
});

test('of many the processor time that was used stays the same, and every peak of memory', () => {
  const all = usage(900);
  const thin = thinnedUsage(all);
  expect(thin.samples.length).toBeLessThanOrEqual(181);
  expect(thin.intervalMs).toBe(5 * interval);
  /** Samples of a bin: all have five but the ends. */
  const sizes = thin.samples.map(({ timeMs }) => all.samples.filter((one) => Math.floor(one.timeMs / 10_000) === Math.floor(timeMs / 10_000)).length); // prettier-ignore
  const used = ({ samples }: Usage, id: string, weights: number[]): number =>
    samples.reduce(
      (sum, { jobs }, index) => sum + weights[index]! * (jobs.find((job) => job.id === id)?.cores ?? 0),
      0,
    );
  const ones = all.samples.map(() => 1);
  for (const id of ['a', 'b']) expect(used(thin, id, sizes)).toBeCloseTo(used(all, id, ones), 8);
  expect(Math.min(...thin.samples.map(({ freeMemoryBytes }) => freeMemoryBytes))).toBe(1e6);
  expect(Math.max(...thin.samples.map(({ jobs }) => jobs[0]!.rssBytes))).toBe(8e9);
  expect(Math.max(...thin.samples.map(({ gpus }) => gpus[0]!.usedBytes))).toBe(9e9);
  expect(thin.samples.every(({ gpus, jobs }) => gpus[0]!.busyShare === 0.5 && jobs[0]!.gpuBytes === null)).toBe(true);
  expect(thin.samples.filter(({ jobs }) => jobs.length === 2).length).toBe(91);
});

test('one sample more leaves the bins before it as they were', () => {
  const all = usage(900);
  const shorter = { ...all, samples: all.samples.slice(0, -3) };
  const [before, after] = [thinnedUsage(shorter).samples, thinnedUsage(all).samples];
  expect(before.slice(0, -1)).toEqual(after.slice(0, before.length - 1));
});
