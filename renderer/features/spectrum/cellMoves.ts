/** The arrows over the heat map. */
import type { MatrixSummary } from '../../../main/contract/spectral.ts';
import { heatmapAxes } from './charts/comparisonHeatmap.ts';

const moves: Record<string, [layers: number, matrices: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
  PageUp: [-Infinity, 0],
  PageDown: [Infinity, 0],
};

/** First place from `start` on, in steps of `by`, that holds something; at the last one for an infinite step. */
function stepTo(count: number, start: number, by: number, holds: (index: number) => boolean): number | null {
  if (by === 0) return holds(start) ? start : null;
  const direction = Math.sign(by);
  let found: number | null = null;
  for (let index = start + direction; index >= 0 && index < count; index += direction) {
    if (!holds(index)) continue;
    found = index;
    if (Number.isFinite(by)) break;
  }
  return found;
}

/**
 * Where a key leads from the cell of `weight` (the first one when it is not there); cells not computed yet are skipped.
 * @returns the weight of the new cell, or null when the key is none of the heat map's or there is nowhere to go
 */
export function moveCell(summaries: MatrixSummary[], weight: string | null, key: string): string | null {
  const move = moves[key];
  if (move === undefined || summaries.length === 0) return null;
  const { layers, matrices } = heatmapAxes(summaries);
  const at = (row: number, column: number): MatrixSummary | undefined =>
    summaries.find(({ layer, matrix }) => layer === layers[row] && matrix === matrices[column]);
  const current = summaries.find((one) => one.weight === weight);
  if (current === undefined) return summaries[0]!.weight;
  const [row, column] = [layers.indexOf(current.layer), matrices.indexOf(current.matrix)];
  const next =
    move[0] === 0
      ? stepTo(matrices.length, column, move[1], (index) => at(row, index) !== undefined)
      : stepTo(layers.length, row, move[0], (index) => at(index, column) !== undefined);
  if (next === null) return null;
  return (move[0] === 0 ? at(row, next) : at(next, column))?.weight ?? null;
}
