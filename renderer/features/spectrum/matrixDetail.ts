/** One matrix as the figures take it, and its facts in a line. */
import type { MatrixSummary } from '../../../main/contract/spectral.ts';
import type { CurvesOfMatrix } from '../../figures/matrixCurves.ts';
import { decimal, percent } from '../../figures/quantities.ts';
import type { MatrixInDetail } from '../../stores/spectra.ts';

export function curvesOf({ summary, curves }: MatrixInDetail): CurvesOfMatrix {
  const { weight, angleRank, leftForcedZeros, rightForcedZeros } = summary;
  return { weight, angleRank, leftForcedZeros, rightForcedZeros, ...curves };
}

/** "layer 3 q": a matrix among its comparison's. */
export const cellLabel = ({ layer, matrix }: Pick<MatrixSummary, 'layer' | 'matrix'>): string =>
  `layer ${layer} ${matrix}`;

export function matrixFacts(one: MatrixSummary): string {
  const rank = (reference: number, target: number): string => `${decimal(reference)} to ${decimal(target)}`;
  const restoration =
    one.restorationCosine === null
      ? []
      : [`restoration cosine ${decimal(one.restorationCosine)} (null ±${decimal(one.restorationNullBand ?? NaN)})`];
  return [
    `${one.weight}, ${one.shape.join(' x ')}`,
    `changed by ${percent(one.relativeChange, 2)}`,
    `${percent(one.valueEnergyShare, 2)} of the change lies in the singular values (random: ${percent(one.valueEnergyNull, 2)})`,
    `stable rank ${rank(one.stableRankReference, one.stableRankTarget)}`,
    `entropy rank ${rank(one.entropyRankReference, one.entropyRankTarget)}`,
    `${percent(one.changedShare)} of the entries differ`,
    ...restoration,
    `smallest relative gap ${decimal(one.smallestRelativeGap)} at index ${one.smallestGapIndex + 1}`,
    `residual ${decimal(one.residual)} in ${one.precision}`,
  ].join('; ');
}
