/** One matrix of two checkpoints compared: delta sigma, principal angles and the energy split, each beside its null. */
import type { MatrixComparison, MatrixName } from '../../contract/studyResult.ts';
import type { CheckpointDecompositions } from './checkpointDecompositions.ts';
import type { Decomposition } from './decompose.ts';
import { frobeniusNorm, requireSameShape, subtract } from './linearAlgebra.ts';
import { principalAnglesRad, randomSubspaceAnglesRad } from './principalAngles.ts';
import { energySplit, randomChangeDeltaSigma, smallestRelativeGap } from './spectrum.ts';
import { targetWeights } from './targetWeights.ts';

export interface ComparisonSettings {
  matrices: readonly MatrixName[];
  /** Share of min(m, n) whose leading singular vectors span the compared subspaces. */
  angleRankShare: number;
  angleNullDraws: number;
  seed: number;
}

/** @throws SHAPE_MISMATCH */
export function compareMatrices(
  { name, layer, matrix }: { name: string; layer: number; matrix: MatrixName },
  reference: Decomposition,
  target: Decomposition,
  settings: Omit<ComparisonSettings, 'matrices'>,
): MatrixComparison {
  requireSameShape(reference.weight, target.weight);
  const { rows, columns } = reference;
  const changeNorm = frobeniusNorm(subtract(target.weight, reference.weight).data);
  const size = frobeniusNorm(reference.weight.data);
  const angles = principalAnglesRad(reference, target, Math.round(settings.angleRankShare * reference.rank));
  const { valueShare, valueShareNull } = energySplit(reference, target);
  return {
    weight: name,
    layer,
    matrix,
    shape: [rows, columns],
    sReference: [...reference.s],
    sTarget: [...target.s],
    deltaSigmaNull: [...randomChangeDeltaSigma(reference, changeNorm, [settings.seed, name])],
    relativeChange: size === 0 ? 0 : changeNorm / size,
    angles: {
      rank: angles.rank,
      leftRad: [...angles.left.anglesRad],
      rightRad: [...angles.right.anglesRad],
      leftForcedZeros: angles.left.forcedZeros,
      rightForcedZeros: angles.right.forcedZeros,
      leftNullRad: [...cachedNull(rows, angles.rank, settings)],
      rightNullRad: [...cachedNull(columns, angles.rank, settings)],
    },
    valueEnergyShare: valueShare,
    valueEnergyNull: valueShareNull,
    smallestRelativeGap: Math.min(smallestRelativeGap(reference.s), smallestRelativeGap(target.s)),
    svdResidual: Math.max(reference.residual, target.residual),
  };
}

/** Layers share their shapes, so a model needs a handful of nulls. */
const nulls = new Map<string, Float64Array>();

function cachedNull(
  d: number,
  k: number,
  { angleNullDraws, seed }: { angleNullDraws: number; seed: number },
): Float64Array {
  const key = `${d} ${k} ${angleNullDraws} ${seed}`;
  let found = nulls.get(key);
  if (!found) nulls.set(key, (found = randomSubspaceAnglesRad(d, k, angleNullDraws, seed)));
  return found;
}

/** Every chosen matrix of two checkpoints, by layer. @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE, naming the weight */
export function compareCheckpoints(
  reference: CheckpointDecompositions,
  target: CheckpointDecompositions,
  settings: ComparisonSettings,
  onCompared?: (done: number, total: number) => void,
): MatrixComparison[] {
  const targets = targetWeights(target.weights, { matrices: settings.matrices });
  return targets.map((weight, i) => {
    const { name, layer } = weight;
    const matrix = weight.matrix as MatrixName;
    const comparison = compareMatrices({ name, layer, matrix }, reference.of(name), target.of(name), settings);
    onCompared?.(i + 1, targets.length);
    return comparison;
  });
}
