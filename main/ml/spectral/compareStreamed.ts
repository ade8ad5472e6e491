/**
 * One matrix of two checkpoints on disk compared, within the memory of its two decompositions: weights are read by blocks
 * of rows. The quantities are those of the paper's section 3, each beside its null.
 */
import type { RealArray } from '../../compute/lapack.ts';
import type { ComparisonSettings, MatrixCurves, MatrixSummary, Precision } from '../../contract/spectral.ts';
import { angleNullRad } from './angleNull.ts';
import type { Factorisation } from './decompose.ts';
import type { SubspaceAngles } from './principalAngles.ts';
import { randomChangeOfSpectrum } from './randomChange.ts';
import { entropyRank, isPairingUnstable, smallestGap, stableRank } from './spectrum.ts';
import { leftAngles, noAngles, rightAngles } from './subspaceAngles.ts';
import type { TargetWeight } from './targetWeights.ts';
import { weightChange, type ChangedMatrix, type WeightChange } from './weightChange.ts';

export interface MatrixComparison {
  /** Without the time that it took. */
  summary: Omit<MatrixSummary, 'durationMs'>;
  curves: MatrixCurves;
}

interface MatrixPair<T extends RealArray> extends Omit<ChangedMatrix, 'name'> {
  weight: TargetWeight;
  /** Of the same shape. */
  factors: { reference: Factorisation<T>; target: Factorisation<T> };
}

/** Rounding of one operation, and decimal digits that a number of this precision carries. */
const epsilons = { float32: 2 ** -23, float64: 2 ** -52 } as const satisfies Record<Precision, number>;
const digits = { float32: 8, float64: 16 } as const satisfies Record<Precision, number>;

/** How many leading vectors are compared in a matrix of this rank. */
function resolveAngleRank(angleRank: ComparisonSettings['angleRank'], rank: number): number {
  const wanted = 'rank' in angleRank ? angleRank.rank : Math.round(angleRank.share * rank);
  return Math.max(1, Math.min(wanted, rank));
}

/** @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE naming the weight; CANCELLED */
export async function compareMatrix<T extends RealArray>(
  { weight, factors, ...sources }: MatrixPair<T>,
  { angleRank, seed }: Pick<ComparisonSettings, 'angleRank' | 'seed'>,
  signal?: AbortSignal,
): Promise<MatrixComparison> {
  const { reference, target } = factors;
  const { rows, columns, rank } = reference;
  const precision = reference.s instanceof Float32Array ? 'float32' : 'float64';
  const change = await weightChange({ name: weight.name, ...sources }, reference, signal);
  const k = resolveAngleRank(angleRank, rank);
  const isSame = change.changeNorm === 0;
  const left = isSame ? noAngles(rows, k) : await leftAngles(reference, target, k);
  signal?.throwIfAborted();
  const right = isSame ? noAngles(columns, k) : await rightAngles(reference, target, k);
  signal?.throwIfAborted();
  const deltaSigmaNull = isSame
    ? new Float64Array(rank)
    : await randomChangeOfSpectrum(reference.s, [rows, columns], change.changeNorm, [seed, weight.name]);
  const nulls = { left: angleNullRad(rows, k, seed), right: angleNullRad(columns, k, seed) };
  const rounded = (values: ArrayLike<number>): number[] =>
    Array.from(values, (x) => Number(x.toPrecision(digits[precision])));
  return {
    summary: {
      weight: weight.name,
      layer: weight.layer,
      matrix: weight.matrix,
      shape: [rows, columns],
      ...changeFields(change, rows, columns, sources.restoration !== null),
      ...sigmaFields(reference.s, target.s, isSame ? null : deltaSigmaNull),
      angleRank: k,
      ...angleFields(left, right, nulls),
      ...gapFields(reference.s, target.s, epsilons[precision]),
      stableRankReference: stableRank(reference.s),
      stableRankTarget: stableRank(target.s),
      entropyRankReference: entropyRank(reference.s),
      entropyRankTarget: entropyRank(target.s),
      residual: Math.max(reference.residual, target.residual),
      orthogonality: Math.max(reference.orthogonality, target.orthogonality),
      precision,
    },
    curves: {
      sReference: rounded(reference.s),
      sTarget: rounded(target.s),
      deltaSigmaNull: rounded(deltaSigmaNull),
      leftRad: rounded(left.anglesRad),
      rightRad: rounded(right.anglesRad),
      leftNullRad: rounded(nulls.left),
      rightNullRad: rounded(nulls.right),
    },
  };
}

function changeFields(
  change: WeightChange,
  rows: number,
  columns: number,
  hasRestoration: boolean,
): Pick<
  MatrixSummary,
  | 'changeNorm'
  | 'relativeChange'
  | 'changedShare'
  | 'changedAboveBf16Share'
  | 'bf16Floor'
  | 'valueEnergyShare'
  | 'valueEnergyNull'
  | 'restorationCosine'
  | 'restorationNullBand'
> {
  const { referenceNorm, ...fields } = change;
  return {
    ...fields,
    relativeChange: referenceNorm === 0 ? 0 : change.changeNorm / referenceNorm,
    valueEnergyNull: 1 / Math.max(rows, columns),
    restorationNullBand: hasRestoration ? 2 / Math.sqrt(rows * columns) : null,
  };
}

function mean(values: ArrayLike<number>, from = 0): number | null {
  if (from >= values.length) return null;
  let sum = 0;
  for (let i = from; i < values.length; i++) sum += values[i]!;
  return sum / (values.length - from);
}

function sigmaFields(
  sReference: RealArray,
  sTarget: RealArray,
  deltaSigmaNull: Float64Array | null,
): Pick<MatrixSummary, 'maxAbsDeltaSigma' | 'meanAbsDeltaSigma' | 'meanAbsDeltaSigmaRatio' | 'meanAbsDeltaSigmaNull'> {
  const changes = Float64Array.from(sTarget, (s, i) => Math.abs(s - sReference[i]!));
  const meanAbsDeltaSigma = mean(changes)!;
  const size = mean(sReference)!;
  return {
    maxAbsDeltaSigma: changes.reduce((largest, x) => Math.max(largest, x), 0),
    meanAbsDeltaSigma,
    meanAbsDeltaSigmaRatio: size === 0 ? 0 : meanAbsDeltaSigma / size,
    meanAbsDeltaSigmaNull: deltaSigmaNull && mean(deltaSigmaNull.map(Math.abs)),
  };
}

function angleFields(
  left: SubspaceAngles,
  right: SubspaceAngles,
  nulls: { left: Float64Array; right: Float64Array },
): Pick<
  MatrixSummary,
  | 'meanLeftAngleRad'
  | 'meanRightAngleRad'
  | 'meanLeftNullRad'
  | 'meanRightNullRad'
  | 'leftForcedZeros'
  | 'rightForcedZeros'
> {
  return {
    meanLeftAngleRad: mean(left.anglesRad, left.forcedZeros),
    meanRightAngleRad: mean(right.anglesRad, right.forcedZeros),
    meanLeftNullRad: mean(nulls.left, left.forcedZeros),
    meanRightNullRad: mean(nulls.right, right.forcedZeros),
    leftForcedZeros: left.forcedZeros,
    rightForcedZeros: right.forcedZeros,
  };
}

function gapFields(
  sReference: RealArray,
  sTarget: RealArray,
  epsilon: number,
): Pick<MatrixSummary, 'smallestRelativeGap' | 'smallestGapIndex' | 'pairingUnstable'> {
  const [a, b] = [smallestGap(sReference, epsilon), smallestGap(sTarget, epsilon)];
  const smallest = b.relative < a.relative ? b : a;
  return {
    smallestRelativeGap: smallest.relative,
    smallestGapIndex: smallest.index,
    pairingUnstable: isPairingUnstable(sReference, sTarget, epsilon),
  };
}
