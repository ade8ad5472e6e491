/**
 * Comparing two checkpoints matrix by matrix, and along a trajectory: what is asked for, what comes back.
 * Angles in radians, ascending; singular values descending; "reference" is the checkpoint to go back to.
 */
import { z } from 'zod';

/** The paper's six, and `o`, which its published scripts also edit. */
export const projections = ['q', 'k', 'v', 'gate', 'up', 'down', 'o'] as const;
export const projectionSchema = z.enum(projections);
export type Projection = z.infer<typeof projectionSchema>;
export const paperMatrices: Projection[] = ['q', 'k', 'v', 'gate', 'up', 'down'];

const index = z.number().int().min(0);
const count = z.number().int().positive();

/** A checkpoint as a job sees it: where it is, and what it was when the job was ordered. */
export const checkpointRefSchema = z.object({
  id: z.string(),
  name: z.string(),
  folder: z.string(),
  step: z.number().int().nullable(),
  /** Null while it has not been hashed. */
  contentHash: z.string().nullable(),
});
export type CheckpointRef = z.infer<typeof checkpointRefSchema>;

/** Where decompositions and results are kept for the next job, and what this job may use. */
export const spectralResourcesSchema = z.object({
  cacheFolder: z.string(),
  cacheBudgetBytes: z.number().int().min(0),
  /** Matrices side by side. */
  threads: count,
});
export type SpectralResources = z.infer<typeof spectralResourcesSchema>;

export const precisionSchema = z.enum(['float32', 'float64']);
export type Precision = z.infer<typeof precisionSchema>;

export const comparisonSettingsSchema = z.object({
  matrices: z.array(projectionSchema).min(1).default(paperMatrices),
  /** Null: every layer. */
  layers: z.array(index).min(1).nullable().default(null),
  /** Leading singular vectors that span the compared subspaces: a number of ranks, or a share of min(m, n). */
  angleRank: z.union([z.object({ rank: count }), z.object({ share: z.number().gt(0).max(1) })]).default({ share: 0.5 }),
  precision: precisionSchema.default('float32'),
  /** Seed of the null models. */
  seed: z.number().int().min(0).default(0),
});
export type ComparisonSettings = z.infer<typeof comparisonSettingsSchema>;

/** Scalars of one matrix: a cell of the heat map, a row of the CSV. */
export const matrixSummarySchema = z.object({
  weight: z.string(),
  layer: index,
  matrix: projectionSchema,
  shape: z.tuple([count, count]),
  /** ||W_target - W_reference||_F, and that over ||W_reference||_F. */
  changeNorm: z.number(),
  relativeChange: z.number(),
  /** Largest and mean |s_target - s_reference|; the mean also over the mean singular value, and over its null. */
  maxAbsDeltaSigma: z.number(),
  meanAbsDeltaSigma: z.number(),
  meanAbsDeltaSigmaRatio: z.number(),
  /** Mean |delta sigma| of a random change of the same norm; null where nothing changed. */
  meanAbsDeltaSigmaNull: z.number().nullable(),
  angleRank: count,
  /** Means without the forced zeros; null where the subspace is the whole space ("trivial"). */
  meanLeftAngleRad: z.number().nullable(),
  meanRightAngleRad: z.number().nullable(),
  meanLeftNullRad: z.number().nullable(),
  meanRightNullRad: z.number().nullable(),
  leftForcedZeros: index,
  rightForcedZeros: index,
  /** sum_i (u_i^T dW v_i)^2 / ||dW||^2 beside 1 / max(m, n). */
  valueEnergyShare: z.number(),
  valueEnergyNull: z.number(),
  /** cos(W_target - W_reference, W_restoration - W_reference) and its null band; null without a third checkpoint. */
  restorationCosine: z.number().nullable(),
  restorationNullBand: z.number().nullable(),
  stableRankReference: z.number(),
  stableRankTarget: z.number(),
  entropyRankReference: z.number(),
  entropyRankTarget: z.number(),
  /** Share of the entries that differ at all, and that differ by more than half a bfloat16 step. */
  changedShare: z.number(),
  changedAboveBf16Share: z.number(),
  /** Relative change that rounding this matrix to bfloat16 makes: below it, a change may be rounding. */
  bf16Floor: z.number(),
  /** min (s_i - s_(i+1)) / s_i over both checkpoints, and its rank (0 = first). */
  smallestRelativeGap: z.number(),
  smallestGapIndex: index,
  /** A value moved by more than a gap beside it: pairing vectors by index is unstable there. */
  pairingUnstable: z.boolean(),
  residual: z.number(),
  orthogonality: z.number(),
  precision: precisionSchema,
  durationMs: z.number(),
});
export type MatrixSummary = z.infer<typeof matrixSummarySchema>;

/** The curves of one matrix. */
export const matrixCurvesSchema = z.object({
  sReference: z.array(z.number()),
  sTarget: z.array(z.number()),
  /** Changes of the singular values that a random change of the same norm makes (one seeded draw). */
  deltaSigmaNull: z.array(z.number()),
  leftRad: z.array(z.number()),
  rightRad: z.array(z.number()),
  leftNullRad: z.array(z.number()),
  rightNullRad: z.array(z.number()),
});
export type MatrixCurves = z.infer<typeof matrixCurvesSchema>;

/** A file of the job's folder, and the answer of `spectra.matrix`. */
export const matrixFileSchema = z.object({ summary: matrixSummarySchema, curves: matrixCurvesSchema });
export type MatrixFile = z.infer<typeof matrixFileSchema>;

export const compareRequestSchema = z.object({
  reference: checkpointRefSchema,
  /** One, or the checkpoints of a trajectory in step order. */
  targets: z.array(checkpointRefSchema).min(1).max(500),
  /** The checkpoint that the change might be going back to (restoration alignment). */
  restoration: checkpointRefSchema.nullable(),
  settings: comparisonSettingsSchema,
  resources: spectralResourcesSchema,
});
export type CompareRequest = z.infer<typeof compareRequestSchema>;

/** A comparison in the list; its id is that of its job. */
export const spectralComparisonSchema = z.object({
  id: z.string(),
  reference: checkpointRefSchema,
  targets: z.array(checkpointRefSchema),
  restoration: checkpointRefSchema.nullable(),
  settings: comparisonSettingsSchema,
  state: z.string(),
  createdAtMs: z.number(),
  /** Matrices done, over all targets. */
  done: index,
  total: index,
});
export type SpectralComparison = z.infer<typeof spectralComparisonSchema>;

/** `rows[t]`: the matrices of target t that are done, by layer and matrix. */
export const spectralResultSchema = spectralComparisonSchema.extend({
  rows: z.array(z.array(matrixSummarySchema)),
  provenance: z.record(z.string(), z.unknown()).nullable(),
});
export type SpectralResult = z.infer<typeof spectralResultSchema>;

const id = z.object({ id: z.string() });
const ok = z.object({ ok: z.literal(true) });
export const spectraOrderSchema = z.object({
  referenceId: z.string(),
  targetIds: z.array(z.string()).min(1).max(500),
  restorationId: z.string().nullable().default(null),
  settings: comparisonSettingsSchema.prefault({}),
});
export type SpectraOrder = z.infer<typeof spectraOrderSchema>;

export const spectraCalls = {
  /** What a comparison would cost. @throws SHAPE_MISMATCH naming the first weight that differs */
  'spectra.estimate': {
    input: spectraOrderSchema,
    output: z.object({
      matrices: index,
      /** Decompositions that are on the disk already. */
      cached: index,
      durationMs: z.number(),
      peakBytes: z.number(),
      diskBytes: z.number(),
    }),
  },
  /** The same order finds the same comparison, which resumes when it had stopped. */
  'spectra.start': { input: spectraOrderSchema, output: spectralComparisonSchema },
  'spectra.list': { input: z.object({}), output: z.array(spectralComparisonSchema) },
  'spectra.get': { input: id, output: spectralResultSchema },
  'spectra.matrix': {
    input: z.object({ id: z.string(), target: index, weight: z.string() }),
    output: matrixFileSchema,
  },
  'spectra.remove': { input: id, output: ok },
  'spectra.restore': { input: id, output: spectralComparisonSchema },
} as const;
