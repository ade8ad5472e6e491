/**
 * Exponential moving average that does not start at zero: every value is a weighted mean of all values so far (Kingma & Ba,
 * 2015, section 3: the bias correction of Adam's moments).
 * @param weight of what came before, 0 (no smoothing) up to, but without, 1
 */
export function movingAverage(values: Float64Array, weight: number): Float64Array {
  let sum = 0;
  let norm = 0;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}
