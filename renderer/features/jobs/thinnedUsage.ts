/**
 * Fewer samples to draw: neighbours in time become one, with the mean of what is a share of time and the worst of what is
 * memory (most in use, least free), so that no peak is drawn away. Pure.
 */
import type { Usage, UsageSample } from '../../../main/contract/queue.ts';

/** Finer than a line of a panel. */
const mostDrawn = 180;

type JobUse = UsageSample['jobs'][number];
type GpuUse = UsageSample['gpus'][number];

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

function groups<T>(items: readonly T[], keyOf: (item: T) => string | number): T[][] {
  const byKey = new Map<string | number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = byKey.get(key);
    if (group) group.push(item);
    else byKey.set(key, [item]);
  }
  return [...byKey.values()];
}

function mergedJob(uses: readonly JobUse[], samples: number): JobUse {
  const gpu = known(uses.map(({ gpuBytes }) => gpuBytes));
  return {
    id: uses[0]!.id,
    // A part of the time that it did not run counts as nothing used.
    cores: (mean(uses.map(({ cores }) => cores)) * uses.length) / samples,
    rssBytes: Math.max(...uses.map(({ rssBytes }) => rssBytes)),
    gpuBytes: gpu.length === 0 ? null : Math.max(...gpu),
  };
}

function mergedGpu(uses: readonly GpuUse[]): GpuUse {
  const busy = known(uses.map(({ busyShare }) => busyShare));
  return {
    ...uses[0]!,
    usedBytes: Math.max(...uses.map(({ usedBytes }) => usedBytes)),
    busyShare: busy.length === 0 ? null : mean(busy),
  };
}

function merged(samples: readonly UsageSample[]): UsageSample {
  const jobs = groups(
    samples.flatMap((sample) => sample.jobs),
    ({ id }) => id,
  );
  const gpus = samples.at(-1)!.gpus.map((_, index) => samples.flatMap((sample) => sample.gpus[index] ?? []));
  return {
    timeMs: samples.at(-1)!.timeMs,
    busyCores: mean(samples.map(({ busyCores }) => busyCores)),
    freeMemoryBytes: Math.min(...samples.map(({ freeMemoryBytes }) => freeMemoryBytes)),
    gpus: gpus.map(mergedGpu),
    jobs: jobs.map((uses) => mergedJob(uses, samples.length)),
  };
}

/** Bins begin at round times: a picture that is drawn again with one more sample does not flicker. */
export function thinnedUsage(usage: Usage): Usage {
  const { samples } = usage;
  if (samples.length <= mostDrawn) return usage;
  const intervalMs = usage.intervalMs * Math.ceil(samples.length / mostDrawn);
  const bins = groups(samples, ({ timeMs }) => Math.floor(timeMs / intervalMs));
  return { ...usage, intervalMs, samples: bins.map(merged) };
}
