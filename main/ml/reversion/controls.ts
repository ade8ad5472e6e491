/**
 * Norm-matched controls of an edited matrix: other changes of W_t with the Frobenius norm d of the edit's change D. Without
 * them "vectors matter more" may only say that more change matters more.
 *
 *     scrambled  W_t + P D Q, rows and columns permuted and their signs flipped at random: every singular value of D is kept
 *     rotation   qf(U_t + t G_U) diag(s_t) qf(V_t + t G_V)^T: the spectrum of W_t is kept; t by secant
 *     noise      W_t + d G / ||G||_F
 *     dose       W_t + scale (W_other - W_t): another edit of the same matrix, scaled to this norm
 *
 * A stream of random numbers is named by (study, kind, matrix, replicate) and not by the number of ranks, so that the
 * points of a sweep share their draws.
 */
import { newLike, type RealArray } from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import { Philox } from '../random/philox.ts';
import { factors, scaleColumns, type Decomposition } from '../spectral/decompose.ts';
import {
  frobeniusNorm,
  mapReal,
  multiply,
  orthogonalityDefect,
  signFixedQ,
  subtract,
  takeColumns,
  transposed,
  type Matrix,
} from '../spectral/linearAlgebra.ts';
import type { RandomControl } from '../../contract/sweeps.ts';
import type { RevertedMatrix } from './revertMatrix.ts';

export interface ControlKey {
  /** Names the study and its seed. */
  study: string;
  weight: string;
  replicate: number;
}

export interface ControlMatrix<T extends RealArray = Float64Array> {
  weight: Matrix<T>;
  change: Matrix<T>;
  orthogonalityDefect: number;
}

/** How closely a rotation has to meet the norm, relative. */
const NORM_TOLERANCE = 1e-3;
const MAX_SECANT_STEPS = 60;

/** @throws COMPUTE_FAILED no rotation reaches the norm of the edit */
export function controlMatrix<T extends RealArray>(
  kind: RandomControl,
  target: Decomposition<T>,
  edited: RevertedMatrix<T>,
  key: ControlKey,
): ControlMatrix<T> {
  const random = new Philox(key.study, kind, key.weight, key.replicate);
  const norm = frobeniusNorm(edited.change.data);
  if (norm === 0) return { weight: target.weight, change: edited.change, orthogonalityDefect: target.orthogonality };
  if (kind === 'rotation') return rotation(target, norm, edited.selected, random, key.weight);
  const change = kind === 'scrambled' ? scrambled(edited.change, random) : noise(edited.change, norm, random);
  return { ...applied(target, change), orthogonalityDefect: target.orthogonality };
}

/** W_t + change. */
export function applied<T extends RealArray>(
  target: Decomposition<T>,
  change: Matrix<T>,
): { weight: Matrix<T>; change: Matrix<T> } {
  return { weight: { ...change, data: mapReal(change.data, (x, i) => target.weight.data[i]! + x) }, change };
}

function scrambled<T extends RealArray>({ rows, columns, data }: Matrix<T>, random: Philox): Matrix<T> {
  const rowOrder = random.permutation(rows);
  const columnOrder = random.permutation(columns);
  const rowSigns = Array.from({ length: rows }, () => (random.int(2) === 0 ? 1 : -1));
  const columnSigns = Array.from({ length: columns }, () => (random.int(2) === 0 ? 1 : -1));
  const out = newLike(data, data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      out[i * columns + j] = rowSigns[i]! * columnSigns[j]! * data[rowOrder[i]! * columns + columnOrder[j]!]!;
  return { rows, columns, data: out };
}

function noise<T extends RealArray>(like: Matrix<T>, norm: number, random: Philox): Matrix<T> {
  const gaussians = gaussianMatrix(like, random);
  const scale = norm / frobeniusNorm(gaussians.data);
  return { ...gaussians, data: mapReal(gaussians.data, (x) => scale * x) };
}

function gaussianMatrix<T extends RealArray>(like: Matrix<T>, random: Philox): Matrix<T> {
  return { ...like, data: mapReal(like.data, () => random.gaussian()) };
}

/** Turns the selected singular vectors only; the others stay, so that a partial rotation has an orthogonality defect. */
function rotation<T extends RealArray>(
  target: Decomposition<T>,
  norm: number,
  selected: number[],
  random: Philox,
  weight: string,
): ControlMatrix<T> {
  const { u, vt } = factors(target);
  const v = transposed(vt);
  // drawn for every rank, so that each rank's direction is the same in every point of a sweep
  const [leftNoise, rightNoise] = [gaussianMatrix(u, random), gaussianMatrix(v, random)];
  const turned = (t: number): ControlMatrix<T> => {
    const newU = turnColumns(u, leftNoise, t, selected);
    const newV = turnColumns(v, rightNoise, t, selected);
    const rotated = multiply(scaleColumns(newU, target.s), newV, { b: true });
    return {
      weight: rotated,
      change: subtract(rotated, target.weight),
      orthogonalityDefect: Math.max(orthogonalityDefect(newU), orthogonalityDefect(newV)),
    };
  };
  const start = norm / (frobeniusNorm(target.s) * Math.sqrt(u.rows + v.rows));
  return solveByNorm(turned, norm, start, weight);
}

/** qf(M_S + t G_S) in the columns of S, the rest as it is. */
function turnColumns<T extends RealArray>(
  m: Matrix<T>,
  noiseMatrix: Matrix<T>,
  t: number,
  selected: number[],
): Matrix<T> {
  const part = takeColumns(m, selected);
  const direction = takeColumns(noiseMatrix, selected);
  const q = signFixedQ({ ...part, data: mapReal(part.data, (x, i) => x + t * direction.data[i]!) });
  const out = { ...m, data: m.data.slice() as T };
  for (let i = 0; i < m.rows; i++)
    selected.forEach((j, column) => (out.data[i * m.columns + j] = q.data[i * q.columns + column]!));
  return out;
}

/** The t at which the change has this norm: doubling until it is passed, then the secant kept inside the bracket. */
function solveByNorm<T extends RealArray>(
  turned: (t: number) => ControlMatrix<T>,
  norm: number,
  start: number,
  weight: string,
): ControlMatrix<T> {
  let [low, lowExcess] = [0, -norm];
  let [high, highExcess] = [Infinity, Infinity];
  let largest = 0;
  let t = start;
  for (let step = 0; step < MAX_SECANT_STEPS; step++) {
    const candidate = turned(t);
    const reached = frobeniusNorm(candidate.change.data);
    const excess = reached - norm;
    largest = Math.max(largest, reached);
    if (Math.abs(excess) <= NORM_TOLERANCE * norm) return candidate;
    if (excess < 0) [low, lowExcess] = [t, excess];
    else [high, highExcess] = [t, excess];
    if (high === Infinity) {
      // the secant through the origin, at most a doubling: the norm saturates as t grows
      t = Math.min(2 * t, Math.max(1.05 * t, (t * norm) / reached));
      continue;
    }
    const secant = low - (lowExcess * (high - low)) / (highExcess - lowExcess);
    const inner = 0.02 * (high - low);
    t = Math.min(high - inner, Math.max(low + inner, secant));
  }
  throw new AppError(
    'COMPUTE_FAILED',
    `${weight}: no rotation of these singular vectors changes the matrix by ${norm.toPrecision(4)} (largest found ${largest.toPrecision(4)}).`,
    { hint: 'Use the scrambled or the noise control for this edit.', details: { weight, norm, largest } },
  );
}

/** W_t + scale D_other, with the scale that gives it the norm. @throws COMPUTE_FAILED the other edit changes nothing */
export function doseMatrix<T extends RealArray>(
  target: Decomposition<T>,
  other: RevertedMatrix<T>,
  norm: number,
  weight: string,
): { weight: Matrix<T>; change: Matrix<T>; scale: number } {
  const otherNorm = frobeniusNorm(other.change.data);
  if (otherNorm === 0 && norm > 0)
    throw new AppError(
      'COMPUTE_FAILED',
      `${weight}: the edit changes nothing, so no dose of it has norm ${norm.toPrecision(4)}.`,
      {
        hint: 'Leave this matrix out of the dose control.',
      },
    );
  const scale = otherNorm === 0 ? 0 : norm / otherNorm;
  return { ...applied(target, { ...other.change, data: mapReal(other.change.data, (x) => scale * x) }), scale };
}
