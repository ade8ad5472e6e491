/** Where the arrow keys lead among the marks of a figure that can be opened. */
import type { FigurePick } from './figure.ts';

type Move = [rows: number, columns: number];
const inGrid: Record<string, Move> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
  PageUp: [-Infinity, 0],
  PageDown: [Infinity, 0],
};
const inLine: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };

/** The nearest mark of the same row or column in the direction, or the last one; the mark itself at the edge. */
function gridMove(picks: FigurePick[], current: number, [rows, columns]: Move): number {
  const here = picks[current]!.at!;
  const axis = rows === 0 ? 1 : 0;
  const by = rows === 0 ? columns : rows;
  const ahead = picks
    .map(({ at }, index) => ({ index, at }))
    .filter(({ at }) => at !== undefined && at[1 - axis] === here[1 - axis])
    .map(({ index, at }) => ({ index, distance: (at![axis] - here[axis]) * Math.sign(by) }))
    .filter(({ distance }) => distance > 0)
    .sort((a, b) => a.distance - b.distance);
  const found = Number.isFinite(by) ? ahead[0] : ahead[ahead.length - 1];
  return found?.index ?? current;
}

/**
 * Marks with a place (`at`) are a grid, the others a line that goes round.
 * @param current index of the mark, -1 before the first move
 * @returns the new index, or null when the key moves nothing
 */
export function movePick(picks: FigurePick[], current: number, key: string): number | null {
  if (picks.length === 0) return null;
  const isGrid = picks[0]!.at !== undefined;
  const grid = inGrid[key];
  const line = inLine[key];
  if (isGrid ? grid === undefined : line === undefined) return null;
  if (current < 0 || current >= picks.length) return isGrid || line! > 0 ? 0 : picks.length - 1;
  return isGrid ? gridMove(picks, current, grid!) : (current + line! + picks.length) % picks.length;
}
