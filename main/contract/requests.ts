/** What each job of a study is asked to do. Stored whole with the job, so that any figure can be traced to it. */
import { z } from 'zod';
import { trainingDataSchema } from './samples.ts';
import {
  ablationSettingsSchema,
  modelSettingsSchema,
  pretrainSettingsSchema,
  rlArmSchema,
  savedDtypeSchema,
  studyRlSettingsSchema,
  sftSettingsSchema,
  taskSettingsSchema,
} from './settings.ts';
import { seedResultSchema, studyCheckpointSchema } from './studyResult.ts';

/** Checkpoints of a run that stay on the disk beside the one with the best OOD accuracy; null: all that are evaluated. */
const keep = z.array(z.number().int()).nullable().default(null);
/** Of the checkpoints of a task in text. */
const dtype = savedDtypeSchema.default('same');
const common = { seed: z.number().int(), task: taskSettingsSchema, outputFolder: z.string() };

export const pretrainRequestSchema = z.object({
  ...common,
  model: modelSettingsSchema,
  pretrain: pretrainSettingsSchema,
});
export const sftRequestSchema = z.object({
  ...common,
  base: z.string(),
  sft: sftSettingsSchema,
  keep,
  dtype,
});
export const rlRequestSchema = z.object({
  ...common,
  rl: studyRlSettingsSchema,
  arm: rlArmSchema,
  startStep: z.number().int(),
  /** Folder of the SFT checkpoint that RL starts from, and of the frozen base that anchors it. */
  start: z.string(),
  base: z.string(),
  keep,
  dtype,
});
/** Folders of the checkpoints that a study names. */
export const namedCheckpointsSchema = z.record(studyCheckpointSchema, z.string());
export const decomposeRequestSchema = z.object({
  ...common,
  ablation: ablationSettingsSchema,
  checkpoints: namedCheckpointsSchema,
});
export const ablateRequestSchema = decomposeRequestSchema;
/** One seed's verdicts and words, or (seed -1) the whole study's. */
export const analyseRequestSchema = z.object({
  seed: z.number().int(),
  seeds: z.array(seedResultSchema).min(1),
});
export type PretrainRequest = z.infer<typeof pretrainRequestSchema>;
export type SftRequest = z.infer<typeof sftRequestSchema>;
export type RlRequest = z.infer<typeof rlRequestSchema>;
export type DecomposeRequest = z.infer<typeof decomposeRequestSchema>;
export type AblateRequest = z.infer<typeof ablateRequestSchema>;
export type AnalyseRequest = z.infer<typeof analyseRequestSchema>;

/** What a stage leaves for the stages after it: the `data` of its `succeeded` event. */
export const stageOutputSchemas = {
  pretrain: z.object({ base: z.string() }),
  /** Folder of every checkpoint by step, and the step whose OOD accuracy is highest on the selection half. */
  sft: z.object({
    checkpoints: z.record(z.string(), z.string()),
    peakStep: z.number().int(),
    trainingData: trainingDataSchema.nullable().default(null),
  }),
  /** Folder of the last checkpoint, and of every one by iteration; iteration 0 is the start. */
  rl: z.object({
    folder: z.string(),
    checkpoints: z.record(z.string(), z.string()).default({}),
    startRewardShare: z.number(),
    startEntropy: z.number(),
  }),
  decompose: z.object({ spectra: seedResultSchema.shape.spectra }),
  ablate: z.object({ points: z.number().int() }),
} as const;
