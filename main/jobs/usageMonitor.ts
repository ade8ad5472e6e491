/**
 * What running jobs and the whole machine use, sampled while a job runs and kept for half an hour of running. Workers say
 * what they use themselves (`watchdog.ts`), which works on every system; nothing wakes an idle engine.
 */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { nvidiaUse } from '../compute/nvidia.ts';
import type { GpuUse, Usage, UsageSample } from '../contract/queue.ts';
import type { WorkerUse } from './workerUse.ts';

const intervalMs = 2000;
const keptSamples = 900;

interface WatchedJob {
  /** The newest report, and the one of the last sample. */
  newest: WorkerUse | null;
  sampled: WorkerUse | null;
  gpuBytes: number | null;
}

/** Processor time of the machine since it was started, ms: of work and in all. */
function machineTimes(): { busyMs: number; allMs: number } {
  let [busyMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    allMs += all;
    busyMs += all - times.idle;
  }
  return { busyMs, allMs };
}

/** A container may have less than the machine. */
const memoryBytes = (): number => Math.min(process.constrainedMemory() || Infinity, totalmem());
const coreCount = (): number => cpus().length || availableParallelism();

export class UsageMonitor {
  readonly #jobs = new Map<string, WatchedJob>();
  #samples: UsageSample[] = [];
  #timer: NodeJS.Timeout | null = null;
  #machine = machineTimes();
  #gpus: GpuUse[] = [];
  /** null: there is no driver to ask. */
  #asking: Promise<void> | null | undefined = undefined;

  started(jobId: string): void {
    this.#jobs.set(jobId, { newest: null, sampled: null, gpuBytes: null });
    if (this.#timer) return;
    this.#machine = machineTimes();
    this.#askGpus();
    this.#timer = setInterval(() => this.#sample(), intervalMs).unref();
  }

  report(jobId: string, use: WorkerUse): void {
    const job = this.#jobs.get(jobId);
    // The first one holds the start of the process, which is no use of the time since.
    if (job) Object.assign(job, { newest: use, sampled: job.sampled ?? use });
  }

  gpuMemory(jobId: string, gpuBytes: number | null): void {
    const job = this.#jobs.get(jobId);
    if (job) job.gpuBytes = gpuBytes;
  }

  ended(jobId: string): void {
    this.#jobs.delete(jobId);
    if (this.#jobs.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  since(afterMs: number): Usage {
    const samples = this.#samples.filter(({ timeMs }) => timeMs > afterMs);
    return { intervalMs, cores: coreCount(), memoryBytes: memoryBytes(), samples };
  }

  #sample(): void {
    const before = this.#machine;
    this.#machine = machineTimes();
    const allMs = this.#machine.allMs - before.allMs;
    const busyCores = allMs > 0 ? (coreCount() * (this.#machine.busyMs - before.busyMs)) / allMs : 0;
    const jobs = [...this.#jobs].flatMap(([id, job]) => {
      const { newest, sampled, gpuBytes } = job;
      if (!newest || !sampled || newest === sampled) return [];
      job.sampled = newest;
      const cores = (newest.cpuMs - sampled.cpuMs) / (newest.timeMs - sampled.timeMs);
      return [{ id, cores, rssBytes: newest.rssBytes, gpuBytes }];
    });
    const machine = { timeMs: Date.now(), busyCores, freeMemoryBytes: process.availableMemory(), gpus: this.#gpus };
    this.#samples = [...this.#samples.slice(1 - keptSamples), { ...machine, jobs }];
    this.#askGpus();
  }

  /** One question at a time; its answer is in the next sample. */
  #askGpus(): void {
    if (this.#asking !== undefined) return;
    this.#asking = nvidiaUse().then((gpus) => {
      this.#gpus = gpus ?? [];
      this.#asking = gpus === null ? null : undefined;
    });
  }
}
