/** Layer x matrix, one number a cell: where two checkpoints differ. Forced zeros are left out of the angles. */
import { matrixNames, type Comparison, type MatrixComparison } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import type { ScaleKind } from '../../../figures/colorScale.ts';
import { layerMatrix } from '../../../figures/layerMatrix.ts';
import { decimal } from '../../../figures/quantities.ts';
import { mean } from './seedView.ts';

export interface Quantity {
  label: string;
  unit: string;
  scale: ScaleKind;
  of(comparison: MatrixComparison): number;
}

/** Mean measured angle over mean null angle, without the forced zeros; NaN where all are forced. */
function angleRatio(rad: number[], nullRad: number[], forcedZeros: number): number {
  const free = rad.slice(forcedZeros);
  return free.length === 0 ? NaN : mean(free) / mean(nullRad.slice(forcedZeros));
}

export const quantities: Record<string, Quantity> = {
  relativeChange: {
    label: 'Relative change ||dW|| / ||W||',
    unit: '%',
    scale: 'sequential',
    of: ({ relativeChange }) => 100 * relativeChange,
  },
  deltaSigma: {
    label: 'Mean |delta sigma| / mean sigma',
    unit: '%',
    scale: 'sequential',
    of: ({ sReference, sTarget }) =>
      (100 * mean(sTarget.map((s, index) => Math.abs(s - sReference[index]!)))) / mean(sReference),
  },
  leftAngle: {
    label: 'Left angle / null',
    unit: '',
    scale: 'ratio',
    of: ({ angles }) => angleRatio(angles.leftRad, angles.leftNullRad, angles.leftForcedZeros),
  },
  rightAngle: {
    label: 'Right angle / null',
    unit: '',
    scale: 'ratio',
    of: ({ angles }) => angleRatio(angles.rightRad, angles.rightNullRad, angles.rightForcedZeros),
  },
  valueEnergy: {
    label: 'Share of the change in the values / null',
    unit: '',
    scale: 'ratio',
    of: ({ valueEnergyShare, valueEnergyNull }) => valueEnergyShare / valueEnergyNull,
  },
};

export function layerHeatmap({ matrices }: Comparison, quantity: Quantity, frame: ChartFrame): Figure | null {
  if (matrices.length === 0) return null;
  const unit = quantity.unit === '' ? '' : ` ${quantity.unit}`;
  const cells = matrices.map((one) => {
    const value = quantity.of(one);
    const { weight, layer, matrix } = one;
    const shown = Number.isFinite(value) ? value : null;
    return { weight, layer, matrix, value: shown, tip: `${quantity.label}: ${decimal(value)}${unit}` };
  });
  const drawing = layerMatrix(
    {
      title: quantity.label + (quantity.unit === '' ? '' : ` (${quantity.unit})`),
      scale: quantity.scale,
      matrices: matrixNames,
      layers: [...new Set(matrices.map(({ layer }) => layer))].sort((a, b) => a - b),
      cells,
    },
    frame,
  );
  return {
    ...drawing,
    table: {
      columns: [
        'weight',
        'layer',
        'matrix',
        ...Object.values(quantities).map(({ label, unit }) => label + (unit === '' ? '' : ` (${unit})`)),
      ],
      rows: matrices.map((one) => [
        one.weight,
        one.layer,
        one.matrix,
        ...Object.values(quantities).map(({ of }) => {
          const value = of(one);
          return Number.isFinite(value) ? value : null;
        }),
      ]),
    },
  };
}
