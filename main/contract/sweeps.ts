/**
 * Ablations: edited models in numbers. A sweep is a set of points (edits of a target towards a reference, their controls,
 * or mixtures of checkpoints), each evaluated where the model fits and exportable where it does not.
 */
import { z } from 'zod';
import { evaluationSchema } from './evaluation.ts';
import { answersPlaceSchema } from './samples.ts';
import { taskSettingsSchema } from './settings.ts';
import {
  checkpointRefSchema,
  paperMatrices,
  precisionSchema,
  projectionSchema,
  spectralResourcesSchema,
} from './spectral.ts';

const index = z.number().int().min(0);
const count = z.number().int().positive();

export const revertKinds = ['singularValues', 'singularVectors', 'both'] as const;
export const revertKindSchema = z.enum(revertKinds);
export type RevertKind = z.infer<typeof revertKindSchema>;
/** The default first. */
export const randomControls = ['scrambled', 'rotation', 'noise'] as const;
export const randomControlSchema = z.enum(randomControls);
export type RandomControl = z.infer<typeof randomControlSchema>;

/** How vectors of two checkpoints are matched: by the rank of their value, or by the orthogonal alignment of the subspaces. */
export const pairingSchema = z.enum(['index', 'procrustes']);
export type Pairing = z.infer<typeof pairingSchema>;

/** Union of its parts; null: every rank. */
export const rankSelectionSchema = z.object({
  top: index.optional(),
  bottom: index.optional(),
  band: z.tuple([index, index]).optional(),
});
export type RankSelection = z.infer<typeof rankSelectionSchema>;

/**
 * `whole`: all layers and ranks at once. `layers`: k layers, first, last or each alone. `ranks`: k ranks, top or bottom,
 * or bands between neighbouring counts, in all layers. `grid`: each layer alone x top ranks (the heat map).
 */
export const sweepAxes = ['whole', 'layers', 'ranks', 'grid'] as const;
export const sweepAxisSchema = z.enum(sweepAxes);
export type SweepAxis = z.infer<typeof sweepAxisSchema>;

export const reversionSweepSchema = z.object({
  kind: z.literal('reversion'),
  reverts: z.array(revertKindSchema).min(1).default(['singularValues', 'singularVectors']),
  matrices: z.array(projectionSchema).min(1).default(paperMatrices),
  axes: z.array(sweepAxisSchema).min(1).default(['layers', 'ranks']),
  layerMode: z.enum(['first', 'last', 'each', 'set']).default('first'),
  /** Numbers of layers (first, last), or the layers themselves (each, set). Null: 5, 10, ... scaled to the model. */
  layerCounts: z.array(index).nullable().default(null),
  rankMode: z.enum(['top', 'bottom', 'band']).default('top'),
  /** Numbers of ranks; null: 64 ... full, scaled to the model. */
  rankCounts: z.array(count).nullable().default(null),
  /** Whole edited models per random control and point. */
  controls: z
    .object({ scrambled: index, rotation: index, noise: index })
    .default({ scrambled: 3, rotation: 0, noise: 0 }),
  dose: z.boolean().default(true),
  /** The same matrices copied whole (or their selected triplets): what reversion can reach at most. */
  ceiling: z.boolean().default(true),
  paperCompatible: z.boolean().default(false),
  pairing: pairingSchema.default('index'),
});
export type ReversionSweep = z.infer<typeof reversionSweepSchema>;

/** Straight lines through two or three checkpoints: pair 0 is target -> reference, pair 1 goes on from there. */
export const interpolationSweepSchema = z.object({
  kind: z.literal('interpolation'),
  /** Positions on each line, 0..1; the ends are evaluated anyway. */
  alphas: z.array(z.number().min(-1).max(2)).min(1).max(101).default([0.1, 0.25, 0.5, 0.75, 0.9]),
});
export type InterpolationSweep = z.infer<typeof interpolationSweepSchema>;

export const sweepSettingsSchema = z.object({
  sweep: z.discriminatedUnion('kind', [reversionSweepSchema, interpolationSweepSchema]),
  precision: precisionSchema.default('float32'),
  seed: z.number().int().min(0).default(0),
  task: taskSettingsSchema.prefault({}),
});
export type SweepSettings = z.infer<typeof sweepSettingsSchema>;

/** `stage` where the pair comes from a study: SFT (target SFT_End, reference the peak) or RL (RL_End, SFT_End). */
export const sweepPairSchema = z.object({
  label: z.string().max(200),
  stage: z.enum(['sft', 'rl']).nullable(),
  reference: checkpointRefSchema,
  target: checkpointRefSchema,
});
export type SweepPair = z.infer<typeof sweepPairSchema>;

export const sweepRequestSchema = z.object({
  name: z.string(),
  pairs: z.array(sweepPairSchema).min(1).max(4),
  settings: sweepSettingsSchema,
  resources: spectralResourcesSchema,
});
export type SweepRequest = z.infer<typeof sweepRequestSchema>;

/** What is edited: enough to make the same model again. */
export const sweepPointSchema = z.object({
  /** Of the request's pairs. */
  pair: index,
  axis: z.enum([...sweepAxes, 'own', 'path']),
  /** `none`: the target or the reference as they are (axis `own`). */
  edit: z.enum([...revertKinds, 'interpolation', 'none']),
  own: z.enum(['target', 'reference']).optional(),
  control: z.enum([...randomControls, 'dose']).optional(),
  replicate: index.optional(),
  /** Position on the axis: layers, ranks, or the layer of a grid. */
  k: index.optional(),
  /** Null: all. */
  layers: z.array(index).nullable(),
  ranks: rankSelectionSchema.nullable(),
  /** Of an interpolation: 0 the target, 1 the reference. */
  alpha: z.number().optional(),
});
export type SweepPoint = z.infer<typeof sweepPointSchema>;

export const matrixEditRecordSchema = z.object({
  weight: z.string(),
  changeNorm: z.number(),
  relativeChange: z.number(),
  orthogonalityDefect: z.number(),
  /** Ranks really reverted: the request is clamped to min(m, n). */
  effectiveRank: index,
  negativeSingularValues: index,
  scale: z.number().nullable(),
});
export type MatrixEditRecord = z.infer<typeof matrixEditRecordSchema>;

export const modelEditRecordSchema = z.object({
  changeNorm: z.number(),
  relativeChange: z.number(),
  orthogonalityDefect: z.number(),
  effectiveRank: z.number(),
  negativeSingularValues: index,
  scale: z.number().nullable(),
  matrices: z.array(matrixEditRecordSchema),
});
export type ModelEditRecord = z.infer<typeof modelEditRecordSchema>;

export const sweepPointResultSchema = sweepPointSchema.extend({
  /** Content hash of everything that the numbers depend on: the same point is never computed twice. */
  key: z.string(),
  record: modelEditRecordSchema,
  /** Null where the model cannot be evaluated here. */
  evaluation: evaluationSchema.nullable(),
  /** Of a task in text, where its answers are: with the sweep that made the point. Absent where none were kept. */
  answers: answersPlaceSchema.optional(),
  /** Taken from an earlier sweep. */
  reused: z.boolean(),
  durationMs: z.number(),
});
export type SweepPointResult = z.infer<typeof sweepPointResultSchema>;

/** A sweep in the list; its id is that of its job. */
export const sweepSchema = z.object({
  id: z.string(),
  name: z.string(),
  pairs: z.array(sweepPairSchema),
  settings: sweepSettingsSchema,
  state: z.string(),
  createdAtMs: z.number(),
  done: index,
  total: index,
});
export type Sweep = z.infer<typeof sweepSchema>;
/** Points without their per-matrix records: `sweeps.point` has them. */
export const sweepResultSchema = sweepSchema.extend({
  points: z.array(sweepPointResultSchema),
  provenance: z.record(z.string(), z.unknown()).nullable(),
});
export type SweepResult = z.infer<typeof sweepResultSchema>;

export const sweepOrderSchema = z.object({
  name: z.string().trim().min(1).max(120),
  pairs: z
    .array(
      z.object({
        label: z.string().max(200).default(''),
        stage: z.enum(['sft', 'rl']).nullable().default(null),
        referenceId: z.string(),
        targetId: z.string(),
      }),
    )
    .min(1)
    .max(4),
  settings: sweepSettingsSchema,
});
export type SweepOrder = z.infer<typeof sweepOrderSchema>;

export const exportPointRequestSchema = z.object({
  pair: sweepPairSchema,
  point: sweepPointSchema,
  settings: sweepSettingsSchema,
  resources: spectralResourcesSchema,
  outputFolder: z.string(),
  /** `same`: each tensor in the type that the target stores it in. */
  dtype: z.enum(['same', 'F32']),
});
export type ExportPointRequest = z.infer<typeof exportPointRequestSchema>;

/** What an export leaves: the folder, and how much rounding took back of the edit. */
export const exportReportSchema = z.object({
  folder: z.string(),
  files: index,
  bytes: z.number(),
  matrices: z.array(
    z.object({
      weight: z.string(),
      dtype: z.string(),
      /** ||round(W') - W'||_F / ||W' - W_t||_F; null where the edit changes nothing. */
      roundingShare: z.number().nullable(),
    }),
  ),
  worstRoundingShare: z.number().nullable(),
  warnings: z.array(z.string()),
});
export type ExportReport = z.infer<typeof exportReportSchema>;

const id = z.object({ id: z.string() });
const ok = z.object({ ok: z.literal(true) });
export const sweepCalls = {
  /** What a sweep would do: points, time, disk, and whether the models can be evaluated here. */
  'sweeps.plan': {
    input: sweepOrderSchema,
    output: z.object({
      points: index,
      /** Points whose numbers are on the disk already. */
      known: index,
      durationMs: z.number(),
      diskBytes: z.number(),
      peakBytes: z.number(),
      layers: index,
      /** Largest min(m, n) of the edited matrices. */
      largestRank: index,
      layerCounts: z.array(index),
      rankCounts: z.array(count),
      /** Why the points cannot be evaluated here, whole sentences; null when they can. */
      notEvaluated: z.string().nullable(),
    }),
  },
  'sweeps.start': { input: sweepOrderSchema, output: sweepSchema },
  'sweeps.list': { input: z.object({}), output: z.array(sweepSchema) },
  'sweeps.get': { input: id, output: sweepResultSchema },
  'sweeps.point': { input: z.object({ id: z.string(), key: z.string() }), output: sweepPointResultSchema },
  /** Starts the job that writes one point as a Hugging Face folder. */
  'sweeps.exportPoint': {
    input: z.object({
      id: z.string(),
      key: z.string(),
      /** Absolute, on the engine's machine; null: `exports/` of the data folder. */
      folder: z.string().nullable().default(null),
      dtype: z.enum(['same', 'F32']).default('same'),
    }),
    output: z.object({ jobId: z.string(), folder: z.string() }),
  },
  /** Checkpoints that a study names, of one seed, as the catalogue knows them: to compose the paper's four ablations. */
  'sweeps.studyCheckpoints': {
    input: z.object({ studyId: z.string(), seed: z.number().int() }),
    output: z.record(z.enum(['base', 'peak', 'end', 'last', 'rlEnd']), z.string().nullable()),
  },
  'sweeps.remove': { input: id, output: ok },
  'sweeps.restore': { input: id, output: sweepSchema },
} as const;
