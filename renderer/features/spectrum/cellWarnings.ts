/** What has to be known of a matrix before its numbers are read: signs in its cell, sentences beside its curves. */
import type { MatrixSummary } from '../../../main/contract/spectral.ts';
import { percent } from '../../figures/quantities.ts';

export interface CellWarning {
  sign: string;
  /** For the key under the heat map. */
  name: string;
  holds(summary: MatrixSummary): boolean;
  sentence(summary: MatrixSummary): string;
}

export const cellWarnings: CellWarning[] = [
  {
    sign: '=',
    name: 'nothing changed',
    holds: ({ changedShare, relativeChange }) => changedShare === 0 || relativeChange === 0,
    sentence: () => 'Both checkpoints have the same numbers here.',
  },
  {
    sign: '†',
    name: 'pairing singular vectors by index is unstable',
    holds: ({ pairingUnstable }) => pairingUnstable,
    sentence: ({ smallestGapIndex }) =>
      `A singular value moved by more than the gap beside it (the smallest is at index ${smallestGapIndex + 1}): vectors of the same index need not belong together.`,
  },
  {
    sign: '‡',
    name: 'below the bfloat16 floor: may be rounding',
    holds: ({ relativeChange, bf16Floor }) => relativeChange > 0 && relativeChange < bf16Floor,
    sentence: ({ relativeChange, bf16Floor }) =>
      `The change (${percent(relativeChange, 3)}) is below what rounding to bfloat16 does (${percent(bf16Floor, 3)}): it may be rounding.`,
  },
  {
    sign: '○',
    name: 'one side is trivial: its subspace is the whole space',
    holds: ({ meanLeftAngleRad, meanRightAngleRad }) => meanLeftAngleRad === null || meanRightAngleRad === null,
    sentence: ({ meanLeftAngleRad, meanRightAngleRad, angleRank }) => {
      const sides = [...(meanLeftAngleRad === null ? ['left'] : []), ...(meanRightAngleRad === null ? ['right'] : [])];
      return `At rank ${angleRank} the ${sides.join(' and the ')} subspace is the whole space: all angles there are 0 for any two matrices.`;
    },
  },
];

export const warningsOf = (summary: MatrixSummary): CellWarning[] => cellWarnings.filter(({ holds }) => holds(summary));
export const warningSigns = (summary: MatrixSummary): string =>
  warningsOf(summary)
    .map(({ sign }) => sign)
    .join('');
