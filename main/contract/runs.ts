/**
 * Training runs across all studies: one row a run, its curves, what its user says of it. A run is a job of a training kind,
 * so its id is the job's.
 */
import { z } from 'zod';

export const runKinds = ['pretrain', 'sft', 'rl'] as const;
export type RunKind = (typeof runKinds)[number];

export const runSchema = z.object({
  id: z.string(),
  studyId: z.string().nullable(),
  studyName: z.string(),
  stageId: z.string().nullable(),
  kind: z.enum(runKinds),
  /** "RL, plain PPO, from SFT_End (step 200) · seed 0". */
  title: z.string(),
  seed: z.number().int().nullable(),
  state: z.string(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  /** Steps that something was logged of, and the last of them. */
  points: z.number().int(),
  lastStep: z.number().int().nullable(),
  /** The newest value of every quantity that is not of a single layer. */
  last: z.record(z.string(), z.number()),
  /** Where OOD accuracy is highest, of all its evaluations. */
  peakOod: z.object({ step: z.number().int(), value: z.number() }).nullable(),
  note: z.string(),
  tags: z.array(z.string()),
});
export type Run = z.infer<typeof runSchema>;

/** Curves of one figure at most: beyond, lines cannot be told apart. */
export const maxCurves = 200;
const tag = z.string().trim().min(1).max(40);
const runIds = z.array(z.string()).min(1).max(20_000);
const fewIds = z.array(z.string()).min(1).max(maxCurves);
const ok = z.object({ ok: z.literal(true) });

export const runCurveSchema = z.object({
  id: z.string(),
  /** Points between the bounds before any were left out. */
  points: z.number().int(),
  steps: z.array(z.number()),
  values: z.array(z.number()),
  /** The moving average at the same steps, of all points and not of the drawn ones; null without smoothing. */
  smoothed: z.array(z.number()).nullable(),
});
export type RunCurve = z.infer<typeof runCurveSchema>;

export const runsCalls = {
  'runs.list': { input: z.object({ trash: z.boolean().default(false) }), output: z.array(runSchema) },
  /** Names of all quantities that these runs have, in alphabetical order. */
  'runs.metrics': { input: z.object({ ids: runIds }), output: z.array(z.string()) },
  /** One quantity of several runs; of every bucket of steps the least and the largest point is kept. */
  'runs.curves': {
    input: z.object({
      ids: fewIds,
      metric: z.string(),
      /** Weight of what came before in the exponential moving average. */
      smoothing: z.number().min(0).max(0.999).default(0),
      buckets: z.number().int().min(10).max(2000).default(300),
      fromStep: z.number().optional(),
      toStep: z.number().optional(),
    }),
    output: z.array(runCurveSchema),
  },
  /** Settings that each run was made with, by path ("sft.learningRate"). */
  'runs.settings': {
    input: z.object({ ids: fewIds }),
    output: z.array(z.object({ id: z.string(), settings: z.record(z.string(), z.unknown()) })),
  },
  'runs.update': {
    input: z.object({
      ids: runIds,
      note: z.string().max(10_000).optional(),
      addTags: z.array(tag).max(20).default([]),
      removeTags: z.array(tag).max(20).default([]),
    }),
    output: ok,
  },
  /** Into the trash and out of it. The study that a run belongs to keeps it. */
  'runs.remove': { input: z.object({ ids: runIds }), output: ok },
  'runs.restore': { input: z.object({ ids: runIds }), output: ok },
} as const;
