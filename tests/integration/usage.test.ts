/** What jobs use of the machine, as their own processes say it. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { usageSchema } from '../../main/contract/queue.ts';
import { until } from './engineProcess.ts';
import { openBench, order, settle } from './jobBench.ts';

test(
  'a job is sampled while it runs, also inside one long call, and nothing is once none runs',
  { timeout: 40_000 },
  async () => {
    const bench = await openBench(2);
    expect(bench.supervisor.usage.since(0).samples).toEqual([]);
    // The one spins and hears nothing; the other sleeps.
    const busy = bench.supervisor.enqueue(order({ steps: 9, hangAtStep: 2 }));
    const sleeping = bench.supervisor.enqueue(order({ steps: 1, stepMs: 60_000 }));
    const { samples } = await until(
      () => bench.supervisor.usage.since(0),
      (usage) => usage.samples.filter(({ jobs }) => jobs.length === 2).length >= 3,
    );
    const { cores, memoryBytes, intervalMs } = usageSchema.parse(bench.supervisor.usage.since(0));
    expect(cores).toBe(cpus().length);
    const last = samples.at(-1)!;
    const used = new Map(last.jobs.map((job) => [job.id, job]));
    // A loaded machine gives it little, but never more than one processor and what compiles it.
    const [busyCores, sleepingCores] = [busy, sleeping].map(({ id }) => used.get(id)!.cores) as [number, number];
    expect(busyCores).toBeGreaterThan(Math.max(0.02, 4 * sleepingCores));
    expect(busyCores).toBeLessThan(1.5);
    for (const { rssBytes, gpuBytes } of last.jobs) {
      expect(rssBytes).toBeGreaterThan(20e6);
      expect(rssBytes).toBeLessThan(memoryBytes);
      expect(gpuBytes).toBeNull();
    }
    if (process.platform === 'linux') {
      const { pid } = JSON.parse(readFileSync(join(bench.supervisor.folder(sleeping.id), 'worker.json'), 'utf8')) as { pid: number }; // prettier-ignore
      const kibibytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
      const ratio = used.get(sleeping.id)!.rssBytes / (1024 * kibibytes);
      expect(ratio).toBeGreaterThan(0.8);
      expect(ratio).toBeLessThan(1.25);
    }
    expect(last.busyCores).toBeGreaterThan(0.02);
    expect(last.busyCores).toBeLessThanOrEqual(cores + 0.01);
    expect(last.freeMemoryBytes).toBeLessThan(memoryBytes);
    const times = samples.map(({ timeMs }) => timeMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(bench.supervisor.usage.since(times.at(-2)!).samples[0]).toEqual(last);

    for (const { id } of [busy, sleeping]) bench.supervisor.cancel(id);
    await settle(bench, 2);
    const ended = bench.supervisor.usage.since(0).samples.length;
    await new Promise((wake) => setTimeout(wake, 2.5 * intervalMs));
    expect(bench.supervisor.usage.since(0).samples).toHaveLength(ended);
  },
);
