/** What a worker says: typed events appended to `events.jsonl` of its job, ingested exactly once by (job, seq). */
import { z } from 'zod';
import { checkpointDigestSchema } from './catalogue.ts';
import { evaluationSchema } from './evaluation.ts';
import { matrixSummarySchema } from './spectral.ts';
import { ablationPointSchema, comparisonSchema } from './studyResult.ts';
import { sweepPointResultSchema } from './sweeps.ts';

export const errorShapeSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  cause: z.string().optional(),
});

/** Payloads; the writer adds `seq` (from 1, no gaps) and `timeMs` (Unix, ms). */
export const workerEventBodySchema = z.discriminatedUnion('type', [
  /** Once, first: what computes, and every version that the numbers depend on. */
  z.object({ type: z.literal('started'), provenance: z.record(z.string(), z.unknown()) }),
  z.object({
    type: z.literal('progress'),
    done: z.number(),
    total: z.number(),
    /** What is under way, in words: "PPO iteration 12 of 40". */
    text: z.string(),
    remainingMs: z.number().optional(),
    /** In use by this job, where the backend knows. */
    gpuMemoryBytes: z.number().optional(),
  }),
  /** Scalars at a step of a run, names as CleanRL has them (camelCase). */
  z.object({ type: z.literal('metrics'), step: z.number().int(), values: z.record(z.string(), z.number()) }),
  /** A checkpoint evaluated at a step (SFT step or PPO iteration); `folder` when it was kept on disk. */
  z.object({
    type: z.literal('evaluation'),
    step: z.number().int(),
    evaluation: evaluationSchema,
    folder: z.string().optional(),
  }),
  /** Resume state written at this step; metrics past it are discarded on resume. */
  z.object({ type: z.literal('resumePoint'), step: z.number().int() }),
  z.object({ type: z.literal('comparison'), comparison: comparisonSchema }),
  z.object({ type: z.literal('ablation'), point: ablationPointSchema }),
  /** One matrix of a comparison; its curves are in `file` of the job's folder. */
  z.object({
    type: z.literal('matrix'),
    target: z.number().int().min(0),
    summary: matrixSummarySchema,
    file: z.string(),
  }),
  z.object({ type: z.literal('sweepPoint'), point: sweepPointResultSchema }),
  /** One checkpoint hashed from its first byte to its last. */
  z.object({ type: z.literal('checkpointDigest'), digest: checkpointDigestSchema }),
  z.object({ type: z.literal('artifact'), kind: z.string(), path: z.string(), data: z.unknown().optional() }),
  /** Something about the run that its user wants to know now, not at its end. */
  z.object({ type: z.literal('alert'), step: z.number().int(), text: z.string() }),
  z.object({ type: z.literal('log'), level: z.enum(['debug', 'info', 'warn', 'error']), text: z.string() }),
  z.object({ type: z.literal('succeeded'), data: z.unknown().optional() }),
  z.object({ type: z.literal('failed'), error: errorShapeSchema }),
]);
export type WorkerEventBody = z.infer<typeof workerEventBodySchema>;
export const workerEventSchema = z.intersection(
  z.object({ seq: z.number().int().positive(), timeMs: z.number() }),
  workerEventBodySchema,
);
export type WorkerEvent = z.infer<typeof workerEventSchema>;
