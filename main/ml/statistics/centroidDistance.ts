/**
 * Distances between centroids of hidden states in the full space, with a bootstrap over prompts.
 *
 * A distance is ||sum of means of samples||: for two checkpoints on the same prompts one sample, the differences prompt by
 * prompt; for two splits of one checkpoint two samples, drawn independently, the second with its sign turned. A mean of n
 * rows lies off its population's by tr(S)/n squared, also where the two populations are the same, and a resample is off by
 * as much again: both are taken away, so that equal populations have an interval that begins at 0.
 */
import { AppError } from '../../contract/errors.ts';
import type { CentroidDistance } from '../../contract/hiddenStates.ts';
import { mapReal, multiply, subtract, type Matrix, type MatrixLike } from '../spectral/linearAlgebra.ts';
import { DEFAULT_DRAWS, percentiles, resamples } from './bootstrap.ts';

const level = 0.95;

/** Weights of n prompts in each draw: [draws, n], every row sums to 1. The same (n, key) give the same draws. */
export function promptDraws(n: number, key: readonly (string | number)[], draws = DEFAULT_DRAWS): Matrix {
  const data = new Float64Array(draws * n);
  resamples(n, draws, ['prompts', ...key]).forEach((counts, draw) =>
    counts.forEach((count, i) => (data[draw * n + i] = count / n)),
  );
  return { rows: draws, columns: n, data };
}

interface Sample {
  /** [prompts, hidden] */
  rows: Matrix;
  draws: Matrix;
}

/** Of the squared length of the sum of the means: observed, and of each draw; both without what the means are off by. */
interface Lengths {
  observed: number;
  estimate: number;
  draws: Float64Array;
}

function lengthOfMeans(samples: readonly Sample[]): Lengths {
  const rows = stacked(samples.map((sample) => sample.rows));
  const gram = multiply(rows, rows, { b: true });
  const total = samples.reduce((sum, sample) => sum + sample.rows.rows, 0);
  const weights = sideBySide(samples.map((sample) => sample.draws));
  const even = Float64Array.from(samples.flatMap(({ rows: { rows: n } }) => Array<number>(n).fill(1 / n)));
  const [observed] = quadraticForms({ rows: 1, columns: total, data: even }, gram);
  let [ofSample, ofDraw] = [0, 0];
  let start = 0;
  for (const { rows: sample } of samples) {
    const spread = scatter(gram, start, sample.rows);
    ofSample += spread / (sample.rows - 1) / sample.rows;
    ofDraw += spread / sample.rows ** 2;
    start += sample.rows;
  }
  const draws = quadraticForms(weights, gram);
  return { observed: observed!, estimate: observed! - ofSample, draws: draws.map((x) => x - ofSample - ofDraw) };
}

/** w_b^T G w_b for every row of w. */
function quadraticForms(w: Matrix, gram: Matrix): Float64Array {
  const product = multiply(w, gram);
  const out = new Float64Array(w.rows);
  for (let b = 0; b < w.rows; b++)
    for (let i = b * w.columns; i < (b + 1) * w.columns; i++) out[b]! += product.data[i]! * w.data[i]!;
  return out;
}

/** sum over rows of ||row - mean||^2, of n rows from `start` on, by their products. */
function scatter({ columns, data }: Matrix, start: number, n: number): number {
  let [own, all] = [0, 0];
  for (let i = start; i < start + n; i++) {
    own += data[i * columns + i]!;
    for (let j = start; j < start + n; j++) all += data[i * columns + j]!;
  }
  return Math.max(0, own - all / n);
}

function stacked(parts: readonly Matrix[]): Matrix {
  const [{ columns }] = parts as [Matrix];
  const data = new Float64Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { rows: data.length / columns, columns, data };
}

function sideBySide(parts: readonly Matrix[]): Matrix {
  const [{ rows }] = parts as [Matrix];
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  const data = new Float64Array(rows * columns);
  let left = 0;
  for (const part of parts) {
    for (let b = 0; b < rows; b++)
      data.set(part.data.subarray(b * part.columns, (b + 1) * part.columns), b * columns + left);
    left += part.columns;
  }
  return { rows, columns, data };
}

const root = (square: number): number => Math.sqrt(Math.max(0, square));

/** A distance with the draws behind it, for intervals of what is made of several. */
export interface DrawnDistance {
  distance: CentroidDistance;
  draws: Float64Array;
}

function drawnDistance(samples: readonly Sample[]): DrawnDistance {
  const { observed, estimate, draws } = lengthOfMeans(samples);
  const lengths = draws.map(root);
  return {
    distance: { observed: root(observed), distance: root(estimate), ...percentiles(lengths, level) },
    draws: lengths,
  };
}

const float64 = ({ rows, columns, data }: MatrixLike): Matrix => ({ rows, columns, data: Float64Array.from(data) });

/**
 * Between two checkpoints on the same prompts.
 * @param a, b [prompts, hidden], row i of both is prompt i. @throws SHAPE_MISMATCH
 */
export function pairedDistance(a: MatrixLike, b: MatrixLike, draws: Matrix): DrawnDistance {
  return drawnDistance([{ rows: subtract(float64(a), float64(b)), draws }]);
}

/** Between two sets of prompts of one checkpoint, drawn independently. @throws INVALID_REQUEST the same draws for both */
export function unpairedDistance(a: MatrixLike, b: MatrixLike, drawsOfA: Matrix, drawsOfB: Matrix): DrawnDistance {
  if (drawsOfA.data === drawsOfB.data)
    throw new AppError('INVALID_REQUEST', 'Two sets of prompts need draws of their own.');
  const { rows, columns, data } = float64(b);
  const turned = { rows, columns, data: mapReal(data, (x) => -x) };
  return drawnDistance([
    { rows: float64(a), draws: drawsOfA },
    { rows: turned, draws: drawsOfB },
  ]);
}

/** How much longer the first is than the second, which share their draws of prompts. */
export function differenceOfDistances(
  far: DrawnDistance,
  near: DrawnDistance,
): { difference: number; low: number; high: number } {
  const draws = far.draws.map((length, i) => length - near.draws[i]!);
  return { difference: far.distance.distance - near.distance.distance, ...percentiles(draws, level) };
}
