/** Normalising advantages over the valid tokens of a batch, in the three conventions in use, in float64. */

export type WhitenConvention =
  /** (x - mean) / sqrt(biased variance + 1e-8) */
  | 'biasedVariance'
  /** (x - mean) / sqrt(unbiased variance + 1e-8) */
  | 'unbiasedVariance'
  /** (x - mean) / (unbiased standard deviation + 1e-5): the paper's code */
  | 'unbiasedDeviation'
  /** (x - mean) / (biased standard deviation + 1e-6): the miniature recipe */
  | 'biasedDeviation';

/**
 * @param mask 1 = valid; other entries become 0
 * @returns normalised values; all 0 when fewer than two are valid or all are equal
 */
export function whiten(values: ArrayLike<number>, mask: ArrayLike<number>, convention: WhitenConvention): Float64Array {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (mask[i] === 0) continue;
    count++;
    sum += values[i]!;
  }
  const out = new Float64Array(values.length);
  if (count < 2) return out;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) if (mask[i] !== 0) squares += (values[i]! - mean) ** 2;
  const scale = 1 / divisor(squares, count, convention);
  for (let i = 0; i < values.length; i++) if (mask[i] !== 0) out[i] = (values[i]! - mean) * scale;
  return out;
}

function divisor(squares: number, count: number, convention: WhitenConvention): number {
  switch (convention) {
    case 'biasedVariance':
      return Math.sqrt(squares / count + 1e-8);
    case 'unbiasedVariance':
      return Math.sqrt(squares / (count - 1) + 1e-8);
    case 'unbiasedDeviation':
      return Math.sqrt(squares / (count - 1)) + 1e-5;
    case 'biasedDeviation':
      return Math.sqrt(squares / count) + 1e-6;
  }
}
