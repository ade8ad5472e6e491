import { describe, expect, it } from 'vitest';
import type { FigurePick } from '../../../../renderer/figures/figure.ts';
import { movePick } from '../../../../renderer/figures/pickMoves.ts';

const cell = (row: number, column: number): FigurePick => ({ key: `${row} ${column}`, label: '', at: [row, column] });
/** Row 1 has a hole in column 1, row 3 has only column 0. */
const grid = [cell(0, 0), cell(0, 1), cell(0, 2), cell(1, 0), cell(1, 2), cell(3, 0)];
const from = (row: number, column: number, key: string): string | undefined => {
  const index = grid.findIndex(({ key: one }) => one === `${row} ${column}`);
  const next = movePick(grid, index, key);
  return next === null ? undefined : grid[next]!.key;
};

describe('movePick', () => {
  it('goes along rows and columns of a grid, over holes, and stops at the edges', () => {
    expect(from(0, 0, 'ArrowRight')).toBe('0 1');
    expect(from(1, 0, 'ArrowRight')).toBe('1 2');
    expect(from(1, 0, 'ArrowDown')).toBe('3 0');
    expect(from(1, 2, 'ArrowUp')).toBe('0 2');
    expect(from(0, 1, 'ArrowDown')).toBe('0 1');
    expect(from(0, 0, 'ArrowLeft')).toBe('0 0');
  });
  it('goes to the ends with Home, End and the page keys', () => {
    expect(from(0, 1, 'End')).toBe('0 2');
    expect(from(1, 2, 'Home')).toBe('1 0');
    expect(from(0, 0, 'PageDown')).toBe('3 0');
    expect(from(3, 0, 'PageUp')).toBe('0 0');
  });
  it('begins with the first cell, and leaves other keys alone', () => {
    expect(movePick(grid, -1, 'ArrowDown')).toBe(0);
    expect(movePick(grid, 0, 'a')).toBeNull();
    expect(movePick([], -1, 'ArrowDown')).toBeNull();
  });
  it('goes round a line with left and right, and leaves the page its up and down', () => {
    const line = ['a', 'b', 'c'].map((key) => ({ key, label: key }));
    expect(movePick(line, 2, 'ArrowRight')).toBe(0);
    expect(movePick(line, 0, 'ArrowLeft')).toBe(2);
    expect(movePick(line, -1, 'ArrowLeft')).toBe(2);
    expect(movePick(line, 0, 'ArrowDown')).toBeNull();
  });
});
