/**
 * Hidden states of the last prompt token at chosen checkpoints: what is asked for, and what comes back. States are those
 * after the final norm, of the first held-out prompts of each split.
 */
import { z } from 'zod';
import { taskSettingsSchema } from './settings.ts';
import { checkpointRefSchema } from './spectral.ts';
import { studyCheckpointSchema } from './studyResult.ts';

const index = z.number().int().min(0);

export const hiddenStatesSettingsSchema = z.object({
  /** Of each split; the paper has 300. */
  prompts: z.number().int().min(10).max(2000).default(300),
  /** Of the bootstrap. */
  seed: index.default(0),
  /** Whose held-out prompts. */
  task: taskSettingsSchema.prefault({}),
});
export type HiddenStatesSettings = z.infer<typeof hiddenStatesSettingsSchema>;

/** One of the checkpoints that are looked at together, and what a study calls it. */
export const stateCheckpointSchema = checkpointRefSchema.extend({
  label: z.string().min(1).max(200),
  role: studyCheckpointSchema.nullable(),
});
export type StateCheckpoint = z.infer<typeof stateCheckpointSchema>;

export const hiddenStatesRequestSchema = z.object({
  checkpoints: z.array(stateCheckpointSchema).min(2).max(24),
  settings: hiddenStatesSettingsSchema,
});
export type HiddenStatesRequest = z.infer<typeof hiddenStatesRequestSchema>;

/**
 * Distance of two centroids in the full space. A mean of n states lies off by tr(S)/n (squared) for being a mean of n:
 * `distance` and its 95 % interval are without that, `observed` is the distance of these very centroids.
 */
export const centroidDistanceSchema = z.object({
  observed: z.number(),
  distance: z.number(),
  low: z.number(),
  high: z.number(),
});
export type CentroidDistance = z.infer<typeof centroidDistanceSchema>;

const splitsOf = <T extends z.ZodType>(value: T) => z.object({ inDist: value, ood: value });
const coordinates = z.array(z.tuple([z.number(), z.number()]));

export const hiddenStatesResultSchema = z.object({
  /** Of each split. */
  prompts: index,
  hiddenSize: index,
  /** Share of the variance along the two components, of each split's own basis. */
  explained: splitsOf(z.tuple([z.number(), z.number()])),
  /** In the order of the request. */
  checkpoints: z.array(
    z.object({
      /** SHA-256 over name, type, shape and bytes of every tensor that was read. */
      contentHash: z.string(),
      /** Every prompt in the basis of its split, which all checkpoints share; six digits. */
      points: splitsOf(coordinates),
      /** Between the centroids of its ID and its OOD prompts. */
      betweenSplits: centroidDistanceSchema,
    }),
  ),
  /** Every two checkpoints on the same prompts: a and b are places in `checkpoints`, a < b. */
  pairs: z.array(z.object({ a: index, b: index, ...splitsOf(centroidDistanceSchema).shape })),
  /** Does `far` lie farther from `from` than `near` does? For RL_End and SFT_End from the peak, where all three are there. */
  farther: z
    .object({ from: index, near: index, far: index })
    .extend(splitsOf(z.object({ difference: z.number(), low: z.number(), high: z.number() })).shape)
    .nullable(),
});
export type HiddenStatesResult = z.infer<typeof hiddenStatesResultSchema>;

/** In the list; its id is that of its job. */
export const hiddenStatesSchema = hiddenStatesRequestSchema.extend({
  id: z.string(),
  state: z.string(),
  createdAtMs: z.number(),
});
export type HiddenStates = z.infer<typeof hiddenStatesSchema>;

export const hiddenStatesOrderSchema = z.object({
  checkpoints: z
    .array(
      z.object({
        id: z.string(),
        /** Its name unless given. */
        label: z.string().max(200).default(''),
        role: studyCheckpointSchema.nullable().default(null),
      }),
    )
    .min(2)
    .max(24),
  settings: hiddenStatesSettingsSchema.prefault({}),
});
export type HiddenStatesOrder = z.infer<typeof hiddenStatesOrderSchema>;

export const hiddenStatesCalls = {
  /** The same order finds the same job, which resumes when it had stopped. */
  'hiddenStates.start': { input: hiddenStatesOrderSchema, output: hiddenStatesSchema },
  /** Newest first. */
  'hiddenStates.list': { input: z.object({}), output: z.array(hiddenStatesSchema) },
  /** `result` is null until the job has succeeded. */
  'hiddenStates.get': {
    input: z.object({ id: z.string() }),
    output: hiddenStatesSchema.extend({
      result: hiddenStatesResultSchema.nullable(),
      provenance: z.record(z.string(), z.unknown()).nullable(),
    }),
  },
} as const;
