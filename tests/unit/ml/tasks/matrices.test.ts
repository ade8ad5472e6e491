import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { determinant } from '../../../../main/ml/tasks/matrices/determinant.ts';
import {
  type IntegerMatrix,
  determinantTerms,
  pivotColumns,
  sum,
} from '../../../../main/ml/tasks/matrices/integerMatrix.ts';
import { rank } from '../../../../main/ml/tasks/matrices/rank.ts';
import type { TextTask } from '../../../../main/ml/tasks/textTask.ts';

const draw = (rows: number, columns: number, random: Philox): number[][] =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.int(11) - 5));
const transposed = (m: IntegerMatrix): number[][] => m[0]!.map((_, j) => m.map((row) => row[j]!));
/** By cofactors along the first row, with BigInt. */
function cofactors(m: IntegerMatrix): bigint {
  if (m.length === 1) return BigInt(m[0]![0]!);
  return m[0]!.reduce((total, entry, j) => {
    const minor = m.slice(1).map((row) => row.toSpliced(j, 1));
    return total + (j % 2 ? -1n : 1n) * BigInt(entry) * cofactors(minor);
  }, 0n);
}
/** The largest r with a non-zero minor of r rows and columns. */
function rankByMinors(m: IntegerMatrix): number {
  const subsets = (n: number, k: number): number[][] =>
    k === 0 ? [[]] : Array.from({ length: n }, (_, i) => subsets(i, k - 1).map((rest) => [...rest, i])).flat();
  for (let r = Math.min(m.length, m[0]!.length); r > 0; r--)
    for (const rows of subsets(m.length, r))
      for (const columns of subsets(m[0]!.length, r))
        if (cofactors(rows.map((i) => columns.map((j) => m[i]![j]!))) !== 0n) return r;
  return 0;
}

describe('exact integers', () => {
  it('terms add up to the determinant by cofactors, also with zeros and no -0', () => {
    for (let i = 0; i < 600; i++) {
      const size = 2 + (i % 2);
      const m = draw(size, size, new Philox('determinants', i));
      const terms = determinantTerms(m);
      expect(terms).toHaveLength(size === 2 ? 2 : 6);
      expect(BigInt(sum(terms))).toBe(cofactors(m));
      for (const term of terms) expect(Object.is(term, -0)).toBe(false);
    }
    expect(determinantTerms([[1, 2], [3, 4]])).toEqual([4, -6]); // prettier-ignore
    expect(determinantTerms([[1, 2, 3], [4, 5, 6], [7, 8, 10]])).toEqual([50, 84, 96, -105, -48, -80]); // prettier-ignore
  });
  it('pivots count the rank by minors, of a matrix and of its transpose', () => {
    for (let i = 0; i < 150; i++) {
      const random = new Philox('ranks', i);
      const m = draw(4, 5, random).map((row) => row.map((entry) => (random.int(3) === 0 ? entry : 0)));
      expect(pivotColumns(m).length).toBe(rankByMinors(m));
      expect(pivotColumns(transposed(m)).length).toBe(rankByMinors(m));
    }
    // dependent rows with entries up to 9: where a division that is not exact leaves a residue instead of 0
    for (const split of ['inDist', 'ood'] as const)
      for (let i = 0; i < 150; i++) {
        const m = rank().trainingEpisode(split, new Philox('dependent', i)).problem;
        expect(pivotColumns(m).length).toBe(rankByMinors(m));
        expect(pivotColumns(transposed(m)).length).toBe(rankByMinors(m));
      }
    // more eliminations than a task needs: a division that is not exact leaves residues where there are zeros
    for (let i = 0; i < 50; i++) {
      const base = draw(4, 8, new Philox('base', i));
      const pairs = [[0, 1], [1, 2], [2, 3], [3, 0]] as const; // prettier-ignore
      const sums = pairs.map(([a, b]) => base[a]!.map((entry, j) => entry - base[b]![j]!));
      expect(pivotColumns([...base, ...sums])).toEqual(pivotColumns(base));
    }
    expect(pivotColumns([[0, 2, 4], [0, 1, 2], [0, 0, 7]])).toEqual([1, 2]); // prettier-ignore
    expect(pivotColumns([[0, 0], [0, 0]])).toEqual([]); // prettier-ignore
  });
});

describe('splits', () => {
  const matrices = (task: TextTask<IntegerMatrix>, split: 'inDist' | 'ood', count: number): IntegerMatrix[] =>
    Array.from({ length: count }, (_, i) => task.trainingEpisode(split, new Philox('split', i)).problem);
  it('determinant: 2x2 of -4..4 and 3x3 of -5..5, every entry seen', () => {
    for (const [split, size, largest] of [
      ['inDist', 2, 4],
      ['ood', 3, 5],
    ] as const) {
      const seen = new Set<number>();
      for (const m of matrices(determinant(), split, 500)) {
        expect([m.length, m[0]!.length]).toEqual([size, size]);
        for (const entry of m.flat()) seen.add(entry);
      }
      expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 2 * largest + 1 }, (_, i) => i - largest));
    }
  });
  it('rank: 4x5 and 5x4 within 9, ranks 1 to 4 equally often', () => {
    for (const [split, rows, columns] of [
      ['inDist', 4, 5],
      ['ood', 5, 4],
    ] as const) {
      const count = 2000;
      const counts = [0, 0, 0, 0, 0];
      for (const m of matrices(rank(), split, count)) {
        expect([m.length, m[0]!.length]).toEqual([rows, columns]);
        for (const entry of m.flat()) expect(Math.abs(entry)).toBeLessThanOrEqual(9);
        counts[pivotColumns(m).length]!++;
      }
      expect(counts[0]).toBe(0);
      for (const n of counts.slice(1)) expect(Math.abs(n / count - 1 / 4)).toBeLessThan(5 * Math.sqrt(3 / 16 / count));
    }
  });
});

describe('verifier', () => {
  const task = determinant();
  const episode = { task: 'determinant', split: 'inDist' as const, keys: { multiset: '', ordered: '' }, problem: [[1, 2], [3, 4]] }; // prettier-ignore
  it('rests on the result, and says which steps were right', () => {
    const all = { correct: true, cardOk: true, numberOk: true, formulaOk: true, reward: 5, reading: 'strict' };
    expect(task.verify(episode, '{"matrix": [[1,2],[3,4]], "terms": [4,-6], "determinant": -2}', 0)).toMatchObject(all);
    expect(task.verify(episode, '{"matrix": [[1,2],[3,4]], "terms": [-6, 4], "determinant": "-2"}', 0)).toMatchObject(
      all,
    );
    // the published style with a typographic minus
    expect(task.verify(episode, '{"matrix": [[1, 2], [3, 4]],\n"terms": [4, \u22126],\n"determinant": \u22122,\n}', 0)).toMatchObject({ ...all, reading: 'lenient', numberOk: false }); // prettier-ignore
    expect(task.verify(episode, '{"terms": [4, 6], "determinant": 10}', 0)).toMatchObject({ correct: false, reward: -1, cardOk: false, numberOk: false, formulaOk: true, reason: 'wrong_value' }); // prettier-ignore
    expect(task.verify(episode, '{"terms": [4, 6], "determinant": -2}', 0)).toMatchObject({ correct: true, numberOk: false, formulaOk: false }); // prettier-ignore
    for (const none of [
      '',
      'The determinant is -2.',
      '{"determinant": null}',
      '{"determinant": 1.5}',
      '{"determinant": [-2]}',
    ])
      expect(task.verify(episode, none, 0), none).toMatchObject({ correct: false, formatOk: false, reward: -1 });
  });
});
