/** What decomposing and comparing costs, for estimates and time left. */

type Shape = readonly [rows: number, columns: number];

/** Floating-point operations of one thin SVD (QR of the long side, bidiagonalisation, divide and conquer, back), roughly. */
export function decompositionFlops([rows, columns]: Shape): number {
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  return 6 * long * short * short + 16 * short ** 3;
}

/** Of one pair: two SVDs, angles, energy split, null of delta sigma. */
export function comparisonFlops(shape: Shape): number {
  return 2.6 * decompositionFlops(shape);
}
