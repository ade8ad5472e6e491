/** Layer x matrix of one pair of checkpoints: one quantity, the chosen cell, warnings as signs. */
import {
  projections,
  type MatrixSummary,
  type Projection,
  type SpectralResult,
} from '../../../../main/contract/spectral.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { cellPicks, layerMatrix, type LayerMatrixCell } from '../../../figures/layerMatrix.ts';
import { cellQuantity, quantityText, quantityTitle, type CellQuantity } from '../cellQuantities.ts';
import { warningSigns, warningsOf } from '../cellWarnings.ts';
import { summaryColumns, summaryValues } from '../summaryTable.ts';

export interface HeatmapView {
  summaries: MatrixSummary[];
  axes: HeatmapAxes;
  /** All targets of the comparison: colours of one step compare with those of another. */
  everyTarget: MatrixSummary[];
  quantity: string;
  /** Weights. */
  chosen: string | null;
  pinned: readonly string[];
}

export interface HeatmapAxes {
  layers: number[];
  matrices: Projection[];
}

/** Rows and columns: what is there, and while the job runs also what is still to come, so that cells keep their places. */
export function heatmapAxes({ rows, targets, settings, total, done }: AxesSource): HeatmapAxes {
  const all = rows.flat();
  const isComplete = done >= total;
  const matrices = new Set([...(isComplete ? [] : settings.matrices), ...all.map(({ matrix }) => matrix)]);
  const expected = Math.round(total / Math.max(1, targets.length * settings.matrices.length));
  const toCome = isComplete ? [] : (settings.layers ?? Array.from({ length: expected }, (_, layer) => layer));
  return {
    layers: [...new Set([...toCome, ...all.map(({ layer }) => layer)])].sort((a, b) => a - b),
    matrices: projections.filter((matrix) => matrices.has(matrix)),
  };
}
type AxesSource = Pick<SpectralResult, 'rows' | 'targets' | 'settings' | 'total' | 'done'>;

/** The quantity with what stands behind it, and the warnings, each a line. */
export function cellLines(summary: MatrixSummary, quantity: CellQuantity): string[] {
  const detail = quantity.detail(summary);
  return [
    `${quantity.label}: ${quantityText(quantity, quantity.of(summary))}`,
    ...(detail === '' ? [] : [detail]),
    ...warningsOf(summary).map(({ sign, name }) => `${sign} ${name}`),
  ];
}

export function comparisonHeatmap(view: HeatmapView, frame: ChartFrame): Figure | null {
  const { summaries, axes, everyTarget, chosen, pinned } = view;
  if (summaries.length === 0) return null;
  const quantity = cellQuantity(view.quantity);
  const cells = summaries.map((summary): LayerMatrixCell => ({
    weight: summary.weight,
    layer: summary.layer,
    matrix: summary.matrix,
    value: quantity.of(summary),
    tip: cellLines(summary, quantity).join('\n'),
    marks: warningSigns(summary),
    chosen: summary.weight === chosen,
    pinned: pinned.includes(summary.weight),
  }));
  const scaleOver = everyTarget.map((summary) => quantity.of(summary));
  const spec = { title: quantityTitle(quantity), scale: quantity.scale, ...axes, cells, scaleOver };
  return {
    ...layerMatrix(spec, frame),
    picks: cellPicks(spec),
    table: { columns: [...summaryColumns], rows: summaries.map(summaryValues) },
  };
}
