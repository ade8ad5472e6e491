/** The queue as its user steers it: order, pause, what a pause costs; and what running jobs use of the machine. */
import { z } from 'zod';
import type { JobKind } from './api.ts';

/** States of a job, a stage or a study from which a resume goes on. */
export const resumableStates: readonly string[] = ['failed', 'cancelled', 'interrupted', 'paused'];

/**
 * Where a stopped job goes on: at its last checkpoint (its resume point), after the last part that it has finished (a
 * matrix, a point, a file), or at its start, because it is short or keeps nothing on the way.
 */
export const resumesFrom: Record<JobKind, 'checkpoint' | 'part' | 'start'> = {
  pretrain: 'checkpoint',
  sft: 'checkpoint',
  rl: 'checkpoint',
  decompose: 'start',
  ablate: 'part',
  analyse: 'start',
  hashCheckpoints: 'part',
  copyCheckpoint: 'part',
  diffCheckpoints: 'start',
  compare: 'part',
  sweep: 'part',
  exportPoint: 'part',
  hiddenStates: 'part',
  selfTest: 'start',
  backup: 'start',
  restore: 'start',
  moveData: 'start',
};

/** Paused: nothing new starts, what runs goes on. */
export const queueSchema = z.object({ paused: z.boolean() });

/** What a job uses; sampled while it runs. */
const jobUseSchema = z.object({
  id: z.string(),
  /** Processor seconds a second since the last sample. */
  cores: z.number(),
  /** Resident memory. */
  rssBytes: z.number(),
  /** Null where its backend does not know. */
  gpuBytes: z.number().nullable(),
});
export const gpuUseSchema = z.object({
  name: z.string(),
  usedBytes: z.number(),
  totalBytes: z.number(),
  /** 0..1; null where the driver does not say. */
  busyShare: z.number().nullable(),
});
export type GpuUse = z.infer<typeof gpuUseSchema>;
export const usageSampleSchema = z.object({
  timeMs: z.number(),
  /** Of the whole machine, other programs with it. */
  busyCores: z.number(),
  freeMemoryBytes: z.number(),
  gpus: z.array(gpuUseSchema),
  jobs: z.array(jobUseSchema),
});
export type UsageSample = z.infer<typeof usageSampleSchema>;
export const usageSchema = z.object({
  /** Between two samples while something runs; a longer gap was idle. */
  intervalMs: z.number(),
  /** Logical processors and memory of the machine. */
  cores: z.number().int(),
  memoryBytes: z.number(),
  samples: z.array(usageSampleSchema),
});
export type Usage = z.infer<typeof usageSchema>;

const none = z.object({});
export const queueCalls = {
  'jobs.queue': { input: none, output: queueSchema },
  'jobs.pauseQueue': { input: queueSchema, output: queueSchema },
  /** What was sampled after `afterMs`, oldest first: of the last half hour in which something ran. */
  'jobs.usage': { input: z.object({ afterMs: z.number().default(0) }), output: usageSchema },
} as const;
