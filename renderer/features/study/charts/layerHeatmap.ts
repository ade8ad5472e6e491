/** Layer x matrix, one number a cell: where two checkpoints differ. Forced zeros are left out of the angles. */
import { matrixNames, type Comparison, type MatrixComparison } from '../../../../main/contract/studyResult.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { still, tooltip } from '../../../figures/marks.ts';
import { fontFamily, panels } from '../../../figures/panels.ts';
import { decimal } from '../../../figures/quantities.ts';
import { mean } from './seedView.ts';

export interface Quantity {
  label: string;
  unit: string;
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
    of: ({ relativeChange }) => 100 * relativeChange,
  },
  deltaSigma: {
    label: 'Mean |delta sigma| / mean sigma',
    unit: '%',
    of: ({ sReference, sTarget }) =>
      (100 * mean(sTarget.map((s, index) => Math.abs(s - sReference[index]!)))) / mean(sReference),
  },
  leftAngle: {
    label: 'Left angle / null',
    unit: '',
    of: ({ angles }) => angleRatio(angles.leftRad, angles.leftNullRad, angles.leftForcedZeros),
  },
  rightAngle: {
    label: 'Right angle / null',
    unit: '',
    of: ({ angles }) => angleRatio(angles.rightRad, angles.rightNullRad, angles.rightForcedZeros),
  },
  valueEnergy: {
    label: 'Share of the change in the values / null',
    unit: '',
    of: ({ valueEnergyShare, valueEnergyNull }) => valueEnergyShare / valueEnergyNull,
  },
};

export function layerHeatmap({ matrices }: Comparison, quantity: Quantity, frame: ChartFrame): Figure | null {
  if (matrices.length === 0) return null;
  const { theme } = frame;
  const layers = [...new Set(matrices.map(({ layer }) => layer))].sort((a, b) => a - b);
  const cells = matrices.map((one) => ({ one, value: quantity.of(one) })).filter(({ value }) => Number.isFinite(value));
  const values = cells.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const spec = {
    title: quantity.label + (quantity.unit === '' ? '' : ` (${quantity.unit})`),
    x: { name: 'matrix', kind: 'category' as const, categories: [...matrixNames] },
    y: { name: 'layer', kind: 'category' as const, categories: layers.map(String), inverse: true, labelWidthPx: 30 },
  };
  const { heightPx, ...axes } = panels([spec], { columns: 1, plotHeightPx: Math.max(110, 34 * layers.length) }, frame);
  const scaleTop = theme.scale[theme.scale.length - 1]!;
  const data = cells.map(({ one, value }) => ({
    value: [one.matrix, String(one.layer), value],
    tip: `${one.weight}\n${quantity.label}: ${decimal(value)}${quantity.unit === '' ? '' : ` ${quantity.unit}`}`,
    label: { color: value > low + 0.5 * (high - low) ? theme.scale[0]! : scaleTop },
  }));
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      visualMap: {
        show: false,
        min: low,
        max: high > low ? high : low + 1,
        dimension: 2,
        inRange: { color: theme.scale },
      },
      series: [
        {
          type: 'heatmap',
          xAxisIndex: 0,
          yAxisIndex: 0,
          data,
          label: {
            show: true,
            formatter: ({ value }: { value: [string, string, number] }) => decimal(Number(value[2].toPrecision(3))),
            fontSize: 11,
            fontFamily,
          },
          itemStyle: { borderColor: theme.surface, borderWidth: 2 },
          emphasis: { itemStyle: { borderColor: theme.ink, borderWidth: 2 } },
        },
      ],
      tooltip: tooltip(theme, 'item'),
    },
    summary: `${quantity.label} by layer and matrix: ${decimal(low)} to ${decimal(high)}${quantity.unit}.`,
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
