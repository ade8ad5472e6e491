/**
 * What a cell of the heat map can say of its matrix. Where a quantity has a null or a neutral point, the ratio to it is
 * drawn (1: no different from a random change) rather than the bare number, which sizes alone would decide.
 */
import type { MatrixSummary } from '../../../main/contract/spectral.ts';
import type { ScaleKind } from '../../figures/colorScale.ts';
import { decimal, degrees, percent } from '../../figures/quantities.ts';

export interface CellQuantity {
  label: string;
  unit: '' | '%';
  scale: ScaleKind;
  /** Null: this matrix has no such number. */
  of(summary: MatrixSummary): number | null;
  /** The numbers behind it, for hovering; empty: nothing to add. */
  detail(summary: MatrixSummary): string;
}

const ratio = (value: number | null, over: number | null): number | null =>
  value === null || over === null || over === 0 ? null : value / over;
const relative = (target: number, reference: number): number | null =>
  reference === 0 ? null : (100 * (target - reference)) / reference;
const none = (): string => '';
const angle = (rad: number | null, nullRad: number | null): string =>
  rad === null
    ? 'every angle is 0 by the sizes alone'
    : `mean ${decimal(degrees(rad))}°, random subspaces ${decimal(degrees(nullRad ?? NaN))}°`;

export const cellQuantities = {
  relativeChange: {
    label: 'Relative change ||dW|| / ||W||',
    unit: '%',
    scale: 'sequential',
    of: ({ relativeChange }) => 100 * relativeChange,
    detail: ({ changeNorm }) => `||dW|| = ${decimal(changeNorm)}`,
  },
  leftAngle: {
    label: 'Mean left angle / null',
    unit: '',
    scale: 'ratio',
    of: ({ meanLeftAngleRad, meanLeftNullRad }) => ratio(meanLeftAngleRad, meanLeftNullRad),
    detail: ({ meanLeftAngleRad, meanLeftNullRad }) => angle(meanLeftAngleRad, meanLeftNullRad),
  },
  rightAngle: {
    label: 'Mean right angle / null',
    unit: '',
    scale: 'ratio',
    of: ({ meanRightAngleRad, meanRightNullRad }) => ratio(meanRightAngleRad, meanRightNullRad),
    detail: ({ meanRightAngleRad, meanRightNullRad }) => angle(meanRightAngleRad, meanRightNullRad),
  },
  meanDeltaSigmaNull: {
    label: 'Mean |delta sigma| / null',
    unit: '',
    scale: 'ratio',
    of: ({ meanAbsDeltaSigma, meanAbsDeltaSigmaNull }) => ratio(meanAbsDeltaSigma, meanAbsDeltaSigmaNull),
    detail: ({ meanAbsDeltaSigma, meanAbsDeltaSigmaNull }) =>
      `mean ${decimal(meanAbsDeltaSigma)}, random change of the same norm ${decimal(meanAbsDeltaSigmaNull ?? NaN)}`,
  },
  meanDeltaSigma: {
    label: 'Mean |delta sigma| / mean sigma',
    unit: '%',
    scale: 'sequential',
    of: ({ meanAbsDeltaSigmaRatio }) => 100 * meanAbsDeltaSigmaRatio,
    detail: none,
  },
  maxDeltaSigma: {
    label: 'Largest |delta sigma|',
    unit: '',
    scale: 'sequential',
    of: ({ maxAbsDeltaSigma }) => maxAbsDeltaSigma,
    detail: none,
  },
  maxDeltaSigmaNull: {
    label: 'Largest |delta sigma| / mean of the null',
    unit: '',
    scale: 'ratio',
    of: ({ maxAbsDeltaSigma, meanAbsDeltaSigmaNull }) => ratio(maxAbsDeltaSigma, meanAbsDeltaSigmaNull),
    detail: ({ maxAbsDeltaSigma, meanAbsDeltaSigmaNull }) =>
      `largest ${decimal(maxAbsDeltaSigma)}, mean of a random change ${decimal(meanAbsDeltaSigmaNull ?? NaN)}`,
  },
  valueEnergy: {
    label: 'Share of the change in the values / null',
    unit: '',
    scale: 'ratio',
    of: ({ valueEnergyShare, valueEnergyNull }) => ratio(valueEnergyShare, valueEnergyNull),
    detail: ({ valueEnergyShare, valueEnergyNull }) =>
      `${percent(valueEnergyShare, 2)} of ||dW||², random change ${percent(valueEnergyNull, 2)}`,
  },
  stableRank: {
    label: 'Change of the stable rank',
    unit: '%',
    scale: 'signed',
    of: ({ stableRankReference, stableRankTarget }) => relative(stableRankTarget, stableRankReference),
    detail: ({ stableRankReference, stableRankTarget }) =>
      `${decimal(stableRankReference)} to ${decimal(stableRankTarget)}`,
  },
  entropyRank: {
    label: 'Change of the entropy rank',
    unit: '%',
    scale: 'signed',
    of: ({ entropyRankReference, entropyRankTarget }) => relative(entropyRankTarget, entropyRankReference),
    detail: ({ entropyRankReference, entropyRankTarget }) =>
      `${decimal(entropyRankReference)} to ${decimal(entropyRankTarget)}`,
  },
  changedShare: {
    label: 'Entries that differ',
    unit: '%',
    scale: 'sequential',
    of: ({ changedShare }) => 100 * changedShare,
    detail: ({ changedAboveBf16Share }) => `${percent(changedAboveBf16Share, 2)} by more than half a step of bfloat16`,
  },
  bf16Floor: {
    label: 'Relative change / bfloat16 floor',
    unit: '',
    scale: 'ratio',
    of: ({ relativeChange, bf16Floor }) => ratio(relativeChange, bf16Floor),
    detail: ({ relativeChange, bf16Floor }) =>
      `changed by ${percent(relativeChange, 3)}; rounding to bfloat16 alone changes ${percent(bf16Floor, 3)}`,
  },
  restoration: {
    label: 'Restoration cosine',
    unit: '',
    scale: 'signed',
    of: ({ restorationCosine }) => restorationCosine,
    detail: ({ restorationNullBand }) =>
      restorationNullBand === null ? 'no third checkpoint' : `null band ±${decimal(restorationNullBand)}`,
  },
  smallestGap: {
    label: 'Smallest relative gap between singular values',
    unit: '',
    scale: 'log',
    of: ({ smallestRelativeGap }) => smallestRelativeGap,
    detail: ({ smallestGapIndex }) => `between index ${smallestGapIndex + 1} and ${smallestGapIndex + 2}`,
  },
  residual: {
    label: 'Residual of the decomposition',
    unit: '',
    scale: 'log',
    of: ({ residual }) => residual,
    detail: ({ orthogonality, precision }) => `orthogonality ${decimal(orthogonality)}, ${precision}`,
  },
} satisfies Record<string, CellQuantity>;

export type CellQuantityKey = keyof typeof cellQuantities;
export const cellQuantityEntries = Object.entries(cellQuantities) as [CellQuantityKey, CellQuantity][];

/** The quantity of this name; the first one for a name of another version. */
export const cellQuantity = (key: string): CellQuantity =>
  cellQuantityEntries.find(([name]) => name === key)?.[1] ?? cellQuantities.relativeChange;

export const quantityTitle = ({ label, unit }: CellQuantity): string => label + (unit === '' ? '' : ` (${unit})`);

/** "0.52", "3.1 %". */
export const quantityText = ({ unit }: CellQuantity, value: number | null): string =>
  value === null ? '–' : `${decimal(value)}${unit === '' ? '' : ` ${unit}`}`;
