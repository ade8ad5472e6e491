/** Layer x matrix of one pair of checkpoints: one quantity, the chosen cell, warnings as signs. */
import type { MatrixSummary, Projection } from '../../../../main/contract/spectral.ts';
import { projections } from '../../../../main/contract/spectral.ts';
import type { ChartFrame, Figure } from '../../../figures/figure.ts';
import { cellPicks, layerMatrix, type LayerMatrixCell } from '../../../figures/layerMatrix.ts';
import { cellQuantity, quantityText, quantityTitle, type CellQuantity } from '../cellQuantities.ts';
import { warningSigns, warningsOf } from '../cellWarnings.ts';
import { summaryColumns, summaryValues } from '../summaryTable.ts';

export interface HeatmapView {
  summaries: MatrixSummary[];
  quantity: string;
  /** Weights. */
  chosen: string | null;
  pinned: readonly string[];
}

/** Rows and columns of the heat map. */
function heatmapAxes(summaries: MatrixSummary[]): { layers: number[]; matrices: Projection[] } {
  const present = new Set(summaries.map(({ matrix }) => matrix));
  return {
    layers: [...new Set(summaries.map(({ layer }) => layer))].sort((a, b) => a - b),
    matrices: projections.filter((matrix) => present.has(matrix)),
  };
}

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
  const { summaries, chosen, pinned } = view;
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
  const spec = { title: quantityTitle(quantity), scale: quantity.scale, ...heatmapAxes(summaries), cells };
  return {
    ...layerMatrix(spec, frame),
    picks: cellPicks(spec),
    table: { columns: [...summaryColumns], rows: summaries.map(summaryValues) },
  };
}
