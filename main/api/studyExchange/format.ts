/**
 * A finished study as a folder: `study.json` (settings, stages, jobs with their results) and `checkpoints/<name>/`
 * (Hugging Face folders of the checkpoints that the study names). Paths inside the study begin with `{study}`.
 * The folder may come from anywhere: everything is checked and bounded before anything is kept.
 */
import { z } from 'zod';
import { jobKinds } from '../../contract/api.ts';
import { evaluationSchema } from '../../contract/evaluation.ts';
import { studySettingsSchema } from '../../contract/settings.ts';
import { ablationPointSchema, comparisonSchema } from '../../contract/studyResult.ts';

export const studyFileName = 'study.json';
/** A study of a few seeds is below 10 MB, bytes. */
export const maxStudyFileBytes = 128 * 1024 * 1024;
/** All checkpoints of an exported study together, bytes. */
export const maxCheckpointBytes = 2 * 1024 ** 3;
/** What a Hugging Face folder holds that this program reads; nothing else is copied. */
export const checkpointFileNames =
  /^(config\.json|generation_config\.json|tokenizer[a-z_]*\.json|special_tokens_map\.json|model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json)$/;

export const studyPlaceholder = '{study}';
const folderName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/, 'is not a plain folder name');
const text = z.string().max(2000);
const timeMs = z.number().int().min(0).max(8.64e15);
const step = z.number().int().min(0).max(1e9);

const exportedJobSchema = z.object({
  kind: z.enum(jobKinds),
  title: text,
  stageId: text,
  seed: z.number().int().nullable(),
  request: z.unknown(),
  output: z.unknown(),
  provenance: z.record(z.string().max(200), z.unknown()).nullable(),
  attempt: z.number().int().min(1).max(1e6),
  createdAtMs: timeMs,
  startedAtMs: timeMs.nullable(),
  endedAtMs: timeMs.nullable(),
  metrics: z.array(z.object({ step, values: z.record(z.string().max(100), z.number()) })).max(1e6),
  evaluations: z.array(z.object({ step, evaluation: evaluationSchema, checkpoint: folderName.nullable() })).max(10_000),
  ablations: z.array(ablationPointSchema).max(100_000),
  comparisons: z.array(comparisonSchema).max(1000),
});

export const studyFileSchema = z.object({
  format: z.literal('rotascope-study'),
  version: z.literal(1),
  name: z.string().trim().min(1).max(120),
  settings: studySettingsSchema,
  createdAtMs: timeMs,
  endedAtMs: timeMs.nullable(),
  stages: z
    .array(
      z.object({
        id: text.min(1),
        seed: z.number().int(),
        kind: z.enum(jobKinds),
        title: text,
        dependsOn: z.array(text).max(1000),
        weight: z.number().min(0).max(1e9),
        output: z.unknown(),
        note: text.nullable(),
      }),
    )
    .min(1)
    .max(2000),
  jobs: z.array(exportedJobSchema).max(2000),
  checkpoints: z
    .array(z.object({ folder: folderName, name: text, seed: z.number().int().nullable(), step: step.nullable() }))
    .max(1000),
});
export type StudyFile = z.infer<typeof studyFileSchema>;

/** Every string of a JSON value through `change`. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
}
