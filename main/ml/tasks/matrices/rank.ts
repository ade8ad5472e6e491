/**
 * Rank: inDist 4x5, ood 5x4. Ranks 1 to 4 are drawn equally often, so that no constant answer is right more than a
 * quarter of the time (independent entries would give rank 4 nearly always).
 *
 * A matrix of rank r: r independent rows with entries -3..3, the others sums of two of them (or of one) with factors -2,
 * -1, 1, 2, kept when no entry is beyond 9; then all rows are shuffled, and in half of the draws the same is done by
 * columns instead. Size and sign of the entries therefore tell little of the rank. The working is the list of pivot
 * columns, counted from 1; the rank is their number.
 */
import type { Philox } from '../../random/philox.ts';
import { defaultTestShare } from '../heldOut.ts';
import type { TextTask } from '../textTask.ts';
import { type IntegerMatrix, pivotColumns } from './integerMatrix.ts';
import { type MatrixTaskOptions, matrixTask } from './matrixTask.ts';

const sizes = { inDist: [4, 5], ood: [5, 4] } as const;
const largestRank = 4;
const largestBaseEntry = 3;
const largestEntry = 9;

export function rank(options: MatrixTaskOptions = {}): TextTask<IntegerMatrix> {
  return matrixTask(
    {
      name: 'rank',
      description:
        'You are an expert in linear algebra. You will receive a matrix of integers.\nYour goal is to find its rank.',
      inputLabel: 'Matrix',
      working: {
        field: 'pivots',
        label: 'pivot columns',
        text: 'a list of the pivot columns of its echelon form, counted from 1',
      },
      result: { field: 'rank', text: 'an integer' },
      draw(split, random) {
        const [rows, columns] = sizes[split];
        const wanted = 1 + random.int(largestRank);
        const byColumns = random.int(2) === 1;
        for (;;) {
          const matrix = byColumns
            ? transpose(drawOfRank(columns, rows, wanted, random))
            : drawOfRank(rows, columns, wanted, random);
          const fits = matrix.flat().every((entry) => Math.abs(entry) <= largestEntry);
          if (fits && pivotColumns(matrix).length === wanted) return matrix;
        }
      },
      workingOf: (matrix) => pivotColumns(matrix).map((column) => column + 1),
      resultOf: (pivots) => pivots.length,
    },
    options.testShare ?? defaultTestShare,
    options,
  );
}

/** [rows, columns], of the wanted rank unless the base rows happen to depend on each other. */
function drawOfRank(rows: number, columns: number, wanted: number, random: Philox): number[][] {
  const entry = (): number => random.int(2 * largestBaseEntry + 1) - largestBaseEntry;
  const base = Array.from({ length: wanted }, () => Array.from({ length: columns }, entry));
  const factor = (): number => random.choice([-2, -1, 1, 2]);
  const combination = (): number[] => {
    const [a, b] = [random.choice(base), random.choice(base)];
    const [p, q] = [factor(), a === b ? 0 : factor()];
    return a.map((value, j) => p * value + q * b[j]! + 0);
  };
  const all = [...base, ...Array.from({ length: rows - wanted }, combination)];
  return Array.from(random.permutation(rows), (i) => all[i]!);
}

const transpose = (matrix: number[][]): number[][] => matrix[0]!.map((_, j) => matrix.map((row) => row[j]!));
