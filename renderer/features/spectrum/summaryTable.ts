/** All numbers of a comparison as a table: every field of the contract's summary, so that none can be forgotten. */
import {
  matrixSummarySchema,
  projections,
  type MatrixSummary,
  type SpectralResult,
} from '../../../main/contract/spectral.ts';
import type { FigureTable } from '../../figures/figure.ts';

type Cell = string | number | null;
const fields = Object.keys(matrixSummarySchema.shape) as (keyof MatrixSummary)[];

/** Names of the contract; the shape in two columns. */
export const summaryColumns: readonly string[] = fields.flatMap((field) =>
  field === 'shape' ? ['rows', 'columns'] : [field],
);

export function summaryValues(summary: MatrixSummary): Cell[] {
  return fields.flatMap((field): Cell[] => {
    const value = summary[field];
    if (Array.isArray(value)) return [...value];
    return [typeof value === 'boolean' ? String(value) : value];
  });
}

/** One row a matrix and target. */
export function resultTable({ reference, targets, rows }: SpectralResult): FigureTable {
  return {
    columns: ['reference', 'target', 'step', ...summaryColumns],
    rows: rows.flatMap((summaries, index) => {
      const target = targets[index];
      return summaries.map((summary) => [
        reference.name,
        target?.name ?? String(index),
        target?.step ?? null,
        ...summaryValues(summary),
      ]);
    }),
  };
}

/** Rows arrive as they are done; by layer, then in the order of the contract's matrices. */
export const byPlace = (summaries: MatrixSummary[]): MatrixSummary[] =>
  [...summaries].sort((a, b) => a.layer - b.layer || projections.indexOf(a.matrix) - projections.indexOf(b.matrix));
