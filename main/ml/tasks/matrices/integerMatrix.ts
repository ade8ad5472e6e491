/**
 * Exact integer arithmetic on small matrices: elimination without fractions (Bareiss, 1968). Every intermediate number
 * is a minor of the matrix, so entries up to 9 in five rows stay far below 2^53.
 */
export type IntegerMatrix = readonly (readonly number[])[];

/** Columns (from 0) of the pivots of the echelon form; their number is the rank. */
export function pivotColumns(matrix: IntegerMatrix): number[] {
  const rows = matrix.map((row) => [...row]);
  const pivots: number[] = [];
  let previous = 1;
  for (let column = 0; column < (rows[0]?.length ?? 0) && pivots.length < rows.length; column++) {
    const top = pivots.length;
    const found = rows.findIndex((row, i) => i >= top && row[column] !== 0);
    if (found < 0) continue;
    [rows[top], rows[found]] = [rows[found]!, rows[top]!];
    const pivot = rows[top][column]!;
    for (let i = top + 1; i < rows.length; i++) {
      const factor = rows[i]![column]!;
      rows[i] = rows[i]!.map((value, j) => (value * pivot - factor * rows[top]![j]!) / previous);
    }
    previous = pivot;
    pivots.push(column);
  }
  return pivots;
}

/**
 * The signed products whose sum is the determinant (Leibniz): 2x2 ad, -bc; 3x3 the three diagonals downwards, then the
 * three upwards with a minus (Sarrus).
 */
export function determinantTerms(matrix: IntegerMatrix): number[] {
  const at = (i: number, j: number): number => matrix[i]![j]!;
  // + 0 makes -0 a 0
  if (matrix.length === 2) return [at(0, 0) * at(1, 1), -at(0, 1) * at(1, 0)].map((term) => term + 0);
  const diagonal = (start: number, step: number): number =>
    [0, 1, 2].reduce((product, row) => product * at(row, (start + step * row + 3) % 3), 1);
  return [diagonal(0, 1), diagonal(1, 1), diagonal(2, 1), -diagonal(2, 2), -diagonal(0, 2), -diagonal(1, 2)].map(
    (term) => term + 0,
  );
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

export const matrixText = (matrix: IntegerMatrix): string =>
  `[${matrix.map((row) => `[${row.join(', ')}]`).join(', ')}]`;

export const matricesEqual = (a: IntegerMatrix, b: IntegerMatrix): boolean => matrixText(a) === matrixText(b);
