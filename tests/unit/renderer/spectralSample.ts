/** A small comparison, by hand, that satisfies the contract: what the tests of the Spectrum page draw. */
import {
  matrixCurvesSchema,
  matrixSummarySchema,
  spectralResultSchema,
  type CheckpointRef,
  type MatrixCurves,
  type MatrixSummary,
  type Projection,
  type SpectralResult,
} from '../../../main/contract/spectral.ts';

export function summaryOf(layer: number, matrix: Projection, more: Partial<MatrixSummary> = {}): MatrixSummary {
  return matrixSummarySchema.parse({
    weight: `model.layers.${layer}.${matrix}_proj.weight`,
    layer,
    matrix,
    shape: [4, 3],
    changeNorm: 0.08,
    relativeChange: 0.02,
    maxAbsDeltaSigma: 0.2,
    meanAbsDeltaSigma: 0.1,
    meanAbsDeltaSigmaRatio: 0.05,
    meanAbsDeltaSigmaNull: 0.05,
    angleRank: 2,
    meanLeftAngleRad: 0.2,
    meanRightAngleRad: 0.2,
    meanLeftNullRad: 0.8,
    meanRightNullRad: 1,
    leftForcedZeros: 0,
    rightForcedZeros: 1,
    valueEnergyShare: 0.5,
    valueEnergyNull: 0.25,
    restorationCosine: null,
    restorationNullBand: null,
    stableRankReference: 2,
    stableRankTarget: 2.2,
    entropyRankReference: 2.5,
    entropyRankTarget: 2,
    changedShare: 0.9,
    changedAboveBf16Share: 0.4,
    bf16Floor: 0.002,
    smallestRelativeGap: 0.3,
    smallestGapIndex: 1,
    pairingUnstable: false,
    residual: 1e-7,
    orthogonality: 1e-7,
    precision: 'float32',
    durationMs: 3,
    ...more,
  });
}

export function curvesSample(more: Partial<MatrixCurves> = {}): MatrixCurves {
  return matrixCurvesSchema.parse({
    sReference: [3, 2, 1],
    sTarget: [3.1, 2, 0.8],
    deltaSigmaNull: [0.05, 0, -0.05],
    leftRad: [0.1, 0.3],
    rightRad: [0, 0.2],
    leftNullRad: [0.4, 1.2],
    rightNullRad: [0, 1],
    ...more,
  });
}

export const refOf = (name: string, step: number | null = null): CheckpointRef => ({
  id: name,
  name,
  folder: `/checkpoints/${name}`,
  step,
  contentHash: null,
});

/** Two layers of q and up for each target; the change grows with the target's place. */
export function comparisonSample(steps: (number | null)[]): SpectralResult {
  return spectralResultSchema.parse({
    id: 'job',
    reference: refOf('base'),
    targets: steps.map((step, index) => refOf(`target ${index}`, step)),
    restoration: null,
    settings: { matrices: ['q', 'up'], layers: null, angleRank: { share: 0.5 }, precision: 'float32', seed: 0 },
    state: 'succeeded',
    createdAtMs: 0,
    done: 4 * steps.length,
    total: 4 * steps.length,
    rows: steps.map((_, index) =>
      [0, 1].flatMap((layer) => [
        summaryOf(layer, 'q', { relativeChange: 0.01 * (index + 1) * (layer + 1) }),
        summaryOf(layer, 'up', { relativeChange: 0.02 * (index + 1) * (layer + 1) }),
      ]),
    ),
    provenance: {},
  });
}
