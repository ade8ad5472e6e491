import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawnIndices } from '../../../main/contract/decimate.ts';

describe('drawnIndices', () => {
  it('keeps every point of a short curve', () => {
    expect(drawnIndices([[1, 2, 3]], 0, 3)).toEqual([0, 1, 2]);
    expect(drawnIndices([[1, 2, 3]], 1, 3)).toEqual([1, 2]);
    expect(drawnIndices([], 0, 0)).toEqual([]);
  });
  it('keeps a lone peak of either curve, and the ends', () => {
    const flat = new Array<number>(4096).fill(0);
    const peaked = [...flat];
    peaked[2345] = 7;
    const dipped = [...flat];
    dipped[99] = -3;
    const kept = drawnIndices([peaked, dipped], 0, 4096);
    expect(kept).toEqual(expect.arrayContaining([0, 99, 2345, 4095]));
    expect(kept.length).toBeLessThan(1000);
  });
  it('keeps the extremes of any stretch of any curve, in ascending order, once each', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 50, maxLength: 3000 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 40 }), (list, buckets) => {
        const kept = drawnIndices([list], 0, list.length, buckets);
        const drawn = kept.map((index) => list[index]!);
        expect(Math.max(...drawn)).toBe(Math.max(...list));
        expect(Math.min(...drawn)).toBe(Math.min(...list));
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        expect(kept.length).toBeLessThanOrEqual(2 * buckets + 2);
      }),
    );
  });
  it('skips what is no number', () => {
    const list = new Array<number>(100).fill(NaN);
    list[50] = 1;
    expect(drawnIndices([list], 0, 100, 4)).toEqual([0, 50, 99]);
  });
});
