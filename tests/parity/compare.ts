/** Comparing arrays with named tolerances. Unlike tfjs's own `areClose`, NaN and Infinity are never close to anything. */

export interface Tolerance {
  atol: number;
  /** Relative to the expected value; 0 unless given. */
  rtol?: number;
}

/** @throws Error naming the worst element: index, both values and the bound it breaks */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
  }
  if (expected.length === 0) throw new Error(`${what}: nothing to compare`);
  let worst = -1;
  let worstExcess = -Infinity;
  for (let i = 0; i < expected.length; i++) {
    const bound = tolerance.atol + (tolerance.rtol ?? 0) * Math.abs(expected[i]!);
    const difference = Math.abs(actual[i]! - expected[i]!);
    const excess = Number.isFinite(actual[i]) && Number.isFinite(expected[i]) ? difference - bound : Infinity;
    if (excess > worstExcess) {
      worstExcess = excess;
      worst = i;
    }
  }
  if (worstExcess <= 0) return;
  const bound = tolerance.atol + (tolerance.rtol ?? 0) * Math.abs(expected[worst]!);
  throw new Error(
    `${what}[${worst}] is ${actual[worst]}, expected ${expected[worst]}: ` +
      `off by ${Math.abs(actual[worst]! - expected[worst]!)}, allowed ${bound}`,
  );
}

/** |actual - expected| of every element. @throws Error when one of them is not finite */
function absoluteErrors(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): Float64Array {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
  }
  return Float64Array.from({ length: expected.length }, (_, i) => {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!Number.isFinite(error)) throw new Error(`${what}[${i}] is ${actual[i]}, expected ${expected[i]}`);
    return error;
  });
}

/** Linear interpolation between order statistics, as numpy's default. */
function quantile(values: Float64Array, q: number): number {
  const sorted = values.slice().sort();
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

/** Bounds of the weights after AdamW steps: a gradient near 0 may move by up to the rate, so the bulk is bounded too. */
export interface SpreadBounds {
  max_abs: number;
  p999_abs: number;
  mean_abs: number;
}

/** @param weights the tensors by name; @param expected their values. @throws Error naming what is not within its bound */
export function expectSpread(
  weights: Iterable<readonly [string, ArrayLike<number>]>,
  expected: (name: string) => ArrayLike<number>,
  bounds: SpreadBounds,
): void {
  const errors = [...weights].flatMap(([name, values]) => [...absoluteErrors(name, values, expected(name))]);
  const all = Float64Array.from(errors);
  const found: SpreadBounds = {
    max_abs: quantile(all, 1),
    p999_abs: quantile(all, 0.999),
    mean_abs: all.reduce((sum, error) => sum + error, 0) / all.length,
  };
  for (const name of ['max_abs', 'p999_abs', 'mean_abs'] as const)
    if (!(found[name] <= bounds[name])) throw new Error(`${name} is ${found[name]}, allowed ${bounds[name]}`);
}
