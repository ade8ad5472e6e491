/** What training has done to the spectra by layer, at a checkpoint: stable rank, and rotation away from where it began. */
import { reversibleMatrices, type WeightMap } from '../model/weights.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { decompose, type Decomposition } from '../spectral/decompose.ts';
import { principalAnglesRad, type SubspaceAngles } from '../spectral/principalAngles.ts';
import { stableRank } from '../spectral/spectrum.ts';
import { layerMetrics } from './layerNorms.ts';

/** Share of the ranks whose span is followed: half, as in the study's comparisons. */
const rankShare = 0.5;

/**
 * Follows the matrices of a run against its first weights.
 * @returns `drift(weights)`: `stableRankLayer<i>` and `rotationRadLayer<i>` (mean principal angle of the leading half of the
 * singular vectors, over the matrices and their informative sides)
 */
export function spectralDrift(config: ModelConfig, start: WeightMap): (weights: WeightMap) => Record<string, number> {
  const matrices = reversibleMatrices(config);
  const of = (weights: WeightMap, { name, rows, columns }: (typeof matrices)[number]): Decomposition =>
    decompose({ rows, columns, data: weights.get(name)!.data });
  const first = new Map(matrices.map((matrix) => [matrix.name, of(start, matrix)]));
  return (weights) => {
    const ranks: number[][] = Array.from({ length: config.numHiddenLayers }, () => []);
    const angles: number[][] = Array.from({ length: config.numHiddenLayers }, () => []);
    for (const matrix of matrices) {
      const now = of(weights, matrix);
      ranks[matrix.layer]!.push(stableRank(now.s));
      const { left, right } = principalAnglesRad(first.get(matrix.name)!, now, Math.round(rankShare * now.rank));
      angles[matrix.layer]!.push(...[left, right].filter(({ trivial }) => !trivial).map(meanFreeAngle));
    }
    return {
      ...layerMetrics('stableRank', ranks.map(mean)),
      ...layerMetrics('rotationRad', angles.map(mean)),
    };
  };
}

/** Without the angles that are 0 for any two subspaces of this rank. */
const meanFreeAngle = ({ anglesRad, forcedZeros }: SubspaceAngles): number =>
  mean([...anglesRad.subarray(forcedZeros)]);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
