/**
 * What a study found: the shape behind the Study page, `--json` and every export. Version 1.
 * Each verdict has `point` (what was observed) and `tested` (what the data separate).
 */
import { z } from 'zod';
import { evaluationSchema } from './evaluation.ts';
import { trainingDataSchema } from './samples.ts';
import { rlArmSchema } from './settings.ts';

export const matrixNames = ['q', 'k', 'v', 'gate', 'up', 'down'] as const;
export const matrixNameSchema = z.enum(matrixNames);
export type MatrixName = z.infer<typeof matrixNameSchema>;

/** Checkpoints that a study names. */
export const studyCheckpoints = ['base', 'peak', 'end', 'last', 'rlEnd'] as const;
export const studyCheckpointSchema = z.enum(studyCheckpoints);
export type StudyCheckpoint = z.infer<typeof studyCheckpointSchema>;

/** One matrix of one layer, reference against target. Angles in radians, ascending; s descending. */
export const matrixComparisonSchema = z.object({
  weight: z.string(),
  layer: z.number().int(),
  matrix: matrixNameSchema,
  shape: z.tuple([z.number().int(), z.number().int()]),
  sReference: z.array(z.number()),
  sTarget: z.array(z.number()),
  /** Changes of the singular values that a random change of the same norm makes (one seeded draw, sorted as s). */
  deltaSigmaNull: z.array(z.number()),
  relativeChange: z.number(),
  angles: z.object({
    rank: z.number().int(),
    leftRad: z.array(z.number()),
    rightRad: z.array(z.number()),
    /** Angles that are 0 for any two subspaces of this rank: max(0, 2k - d); all k where k = d ("trivial"). */
    leftForcedZeros: z.number().int(),
    rightForcedZeros: z.number().int(),
    /** Mean over draws of the ascending angles between random k-subspaces. */
    leftNullRad: z.array(z.number()),
    rightNullRad: z.array(z.number()),
  }),
  /** sum_i (u_i^T dW v_i)^2 / ||dW||^2 beside 1 / max(m, n). */
  valueEnergyShare: z.number(),
  valueEnergyNull: z.number(),
  smallestRelativeGap: z.number(),
  svdResidual: z.number(),
});
export type MatrixComparison = z.infer<typeof matrixComparisonSchema>;

export const comparisonSchema = z.object({
  reference: studyCheckpointSchema,
  target: studyCheckpointSchema,
  matrices: z.array(matrixComparisonSchema),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const editKinds = ['singularValues', 'singularVectors', 'both', 'interpolation'] as const;
export const controlKinds = ['scrambled', 'rotation', 'noise', 'dose'] as const;
/**
 * One edited model, evaluated. `control` absent: the edit itself. A `dose` is the other edit scaled to this
 * edit's norm: edit 'singularValues' + control 'dose' = W_t + gamma (W_val - W_t) with the vectors' norm, and the
 * other way round. `interpolation`: W_t + alpha (W_ref - W_t) over all tensors.
 */
export const ablationPointSchema = z.object({
  /** 'sft': target end, reference peak. 'rl': target rlEnd, reference end. */
  stage: z.enum(['sft', 'rl']),
  reference: studyCheckpointSchema,
  target: studyCheckpointSchema,
  edit: z.enum(editKinds),
  control: z.enum(controlKinds).optional(),
  replicate: z.number().int().optional(),
  alpha: z.number().optional(),
  scale: z.number().optional(),
  /** ||W' - W_t||_F over the edited matrices together, and the same over ||W_t||_F. */
  changeNorm: z.number(),
  relativeChange: z.number(),
  orthogonalityDefect: z.number(),
  effectiveRank: z.number(),
  negativeSingularValues: z.number().int(),
  evaluation: evaluationSchema,
});
export type AblationPoint = z.infer<typeof ablationPointSchema>;

/** [low, high] of an interval and what it covers, in words ("95 % Wilson, episodes"). */
export const intervalSchema = z.object({ low: z.number(), high: z.number(), covers: z.string() });
export type Interval = z.infer<typeof intervalSchema>;

const verdict = <P extends z.ZodType, T extends z.ZodType>(point: P, tested: T) =>
  z.object({ point, tested, words: z.string() });
const difference = z.object({
  difference: z.number(),
  interval: intervalSchema,
  pValue: z.number(),
  separated: z.boolean(),
});
export type Difference = z.infer<typeof difference>;

export const verdictsSchema = z.object({
  peak: verdict(
    z.object({
      step: z.number(),
      selectAccuracy: z.number(),
      reportAccuracy: z.number(),
      reportInterval: intervalSchema,
    }),
    z.object({ peakSet: z.array(z.number()) }),
  ),
  /** Steps, or null when it never happens. */
  forgettingOnset: verdict(z.number().nullable(), z.number().nullable()),
  /** Fall from peak to SFT_End and to the last checkpoint. */
  forgetting: verdict(
    z.object({ toEnd: z.number(), toLast: z.number() }),
    z.object({ toEnd: difference, toLast: difference }),
  ),
  inDistLossFell: verdict(z.boolean(), z.boolean()),
  overfitting: verdict(z.boolean(), z.boolean()),
  /** Per arm from SFT_End: OOD and ID accuracy against SFT_End and against the peak, and the recovery share. */
  recovery: z.array(
    z.object({
      arm: z.union([rlArmSchema, z.literal('interpolation')]),
      ood: difference,
      inDist: difference,
      againstPeak: difference,
      recoveryShare: z.object({ value: z.number(), interval: intervalSchema }).nullable(),
      words: z.string(),
    }),
  ),
  recoveryWindow: verdict(
    z.object({ starts: z.array(z.number()), crossings: z.array(z.number()) }),
    z.object({ starts: z.array(z.number()), below: z.array(z.number()) }),
  ),
  /** Per stage and edit: change of OOD accuracy against the target, and against its controls. */
  reversions: z.array(
    z.object({
      stage: z.enum(['sft', 'rl']),
      edit: z.enum(['singularValues', 'singularVectors', 'both']),
      ood: difference,
      inDist: difference,
      /** (1 + #{control >= edit}) / (1 + replicates), on |change of OOD accuracy|; null without controls. */
      controlPValue: z.number().nullable(),
      controlRange: z.tuple([z.number(), z.number()]).nullable(),
      words: z.string(),
    }),
  ),
});
export type Verdicts = z.infer<typeof verdictsSchema>;

export const seedResultSchema = z.object({
  seed: z.number().int(),
  sft: z.array(z.object({ step: z.number().int(), evaluation: evaluationSchema })),
  /** SFT with the rotation penalty, in the preset `comparison`. */
  penalisedSft: z.array(z.object({ step: z.number().int(), evaluation: evaluationSchema })).default([]),
  peakStep: z.number().int().nullable(),
  endStep: z.number().int(),
  /** What SFT in text has learned from; null before it has ended, and for tasks in tokens. */
  trainingData: trainingDataSchema.nullable().default(null),
  /** The arm that RL runs from every start: its end from SFT_End is RL_End. */
  mainArm: rlArmSchema.default('ppoAnchor'),
  rl: z.array(
    z.object({
      arm: rlArmSchema,
      startStep: z.number().int(),
      /** Iteration 0 is the start itself. */
      checkpoints: z.array(z.object({ iteration: z.number().int(), evaluation: evaluationSchema })),
      /** At the first iterations: what the start point offers to learn from. */
      startRewardShare: z.number().optional(),
      startEntropy: z.number().optional(),
    }),
  ),
  ablations: z.array(ablationPointSchema),
  /** Per pair and matrix type, mean over layers. */
  spectra: z.array(
    z.object({
      reference: studyCheckpointSchema,
      target: studyCheckpointSchema,
      matrix: matrixNameSchema,
      meanAbsDeltaSigmaRatio: z.number(),
      maxAbsDeltaSigma: z.number(),
      meanLeftAngleRad: z.number(),
      meanRightAngleRad: z.number(),
      nullAngleRad: z.number(),
      relativeChange: z.number(),
    }),
  ),
  verdicts: verdictsSchema.nullable(),
});
export type SeedResult = z.infer<typeof seedResultSchema>;

export const studyResultSchema = z.object({
  type: z.literal('result'),
  version: z.literal(1),
  study: z.object({
    id: z.string(),
    name: z.string(),
    preset: z.string(),
    createdAt: z.string(),
    settingsHash: z.string(),
  }),
  complete: z.boolean(),
  provenance: z.record(z.string(), z.unknown()),
  seeds: z.array(seedResultSchema),
  /** Over the seeds: mean, range, and a hierarchical bootstrap (seed x episode) when there are several. */
  across: z
    .object({
      rows: z.array(
        z.object({
          name: z.string(),
          perSeed: z.array(z.number()),
          mean: z.number(),
          interval: intervalSchema.nullable(),
        }),
      ),
    })
    .nullable(),
  /** The paragraph, one sentence an item, made from the tested verdicts. */
  words: z.array(z.string()),
});
export type StudyResult = z.infer<typeof studyResultSchema>;
