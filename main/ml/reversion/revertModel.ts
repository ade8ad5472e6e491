/** A whole edited model: reversions and their controls over the weights of a checkpoint. */
import type { RealArray } from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import type { Decomposition } from '../spectral/decompose.ts';
import { frobeniusNorm, type Matrix } from '../spectral/linearAlgebra.ts';
import type { Weights } from '../spectral/targetWeights.ts';
import { controlMatrix, doseMatrix } from './controls.ts';
import type { MatrixEditRecord, ModelEditRecord, RandomControl } from '../../contract/sweeps.ts';
import { revertMatrix, type MatrixReversion, type RevertedMatrix } from './revertMatrix.ts';

export type EditedWeights = Map<string, { shape: number[]; data: Float32Array }>;

/** `target` is the fine-tuned checkpoint that is edited, `reference` the one to go back to. */
export interface CheckpointPair<T extends RealArray = Float64Array> {
  target: Decompositions<T>;
  reference: Decompositions<T>;
}

/** The weights of a checkpoint and the decomposition of each that is asked for. */
export interface Decompositions<T extends RealArray> {
  weights: Weights;
  of(name: string): Decomposition<T>;
}

export interface ModelReversion extends MatrixReversion {
  /** Names of the weights to edit (`targetWeights`); every other tensor is the target's own array, untouched. */
  weights: readonly string[];
}

export type ControlChoice =
  | { control: RandomControl; study: string; replicate: number }
  /** The edit itself, scaled per matrix to the norm that the other kind of edit has. */
  | { control: 'dose' };

export interface EditedModel {
  weights: EditedWeights;
  record: ModelEditRecord;
}

interface EditedMatrix<T extends RealArray> {
  weight: Matrix<T>;
  change: Matrix<T>;
  orthogonalityDefect: number;
  effectiveRank: number;
  negativeSingularValues: number;
  scale: number | null;
}

/** @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE, naming the weight */
export function revertModel<T extends RealArray>(pair: CheckpointPair<T>, edit: ModelReversion): EditedModel {
  return editModel(pair, edit.weights, (target, reference) => {
    const reverted = revertMatrix(target, reference, edit);
    return { ...reverted, effectiveRank: reverted.selected.length, negativeSingularValues: 0, scale: null };
  });
}

/**
 * A control of `edit`: it touches the same matrices, each with the norm that the edit has there.
 * @throws COMPUTE_FAILED a rotation or a dose cannot reach the norm; INVALID_REQUEST a dose of `both`
 */
export function controlModel<T extends RealArray>(
  pair: CheckpointPair<T>,
  edit: ModelReversion,
  choice: ControlChoice,
): EditedModel {
  return editModel(pair, edit.weights, (target, reference, weight) => {
    const reverted = revertMatrix(target, reference, edit);
    if (choice.control === 'dose') return dose(target, reference, edit, reverted, weight);
    const control = controlMatrix(choice.control, target, reverted, { ...choice, weight });
    return { ...control, effectiveRank: reverted.selected.length, negativeSingularValues: 0, scale: null };
  });
}

function dose<T extends RealArray>(
  target: Decomposition<T>,
  reference: Decomposition<T>,
  edit: ModelReversion,
  reverted: RevertedMatrix<T>,
  weight: string,
): EditedMatrix<T> {
  if (edit.revert === 'both')
    throw new AppError(
      'INVALID_REQUEST',
      'A dose compares values with vectors; `both` has no other edit to be scaled to.',
    );
  const otherKind = edit.revert === 'singularValues' ? 'singularVectors' : 'singularValues';
  const other = revertMatrix(target, reference, { ...edit, revert: otherKind });
  const scaled = doseMatrix(target, reverted, frobeniusNorm(other.change.data), weight);
  const scaledValue = (i: number): number => target.s[i]! + scaled.scale * (reference.s[i]! - target.s[i]!);
  const values = edit.revert === 'singularValues' ? reverted.selected.map(scaledValue) : [];
  return {
    ...scaled,
    orthogonalityDefect: target.orthogonality,
    effectiveRank: reverted.selected.length,
    negativeSingularValues: values.filter((s) => s < 0).length,
  };
}

function editModel<T extends RealArray>(
  { target, reference }: CheckpointPair<T>,
  names: readonly string[],
  editMatrix: (target: Decomposition<T>, reference: Decomposition<T>, weight: string) => EditedMatrix<T>,
): EditedModel {
  const weights: EditedWeights = new Map();
  for (const [name, { shape, data }] of target.weights) weights.set(name, { shape: [...shape], data });
  const matrices: MatrixEditRecord[] = [];
  const sizes: number[] = [];
  for (const name of names) {
    const of = target.of(name);
    const { weight, change, ...facts } = editMatrix(of, reference.of(name), name);
    const changeNorm = frobeniusNorm(change.data);
    const size = frobeniusNorm(of.weight.data);
    sizes.push(size);
    weights.set(name, { shape: [weight.rows, weight.columns], data: Float32Array.from(weight.data) });
    const { orthogonalityDefect, effectiveRank, negativeSingularValues, scale } = facts;
    matrices.push({
      weight: name,
      changeNorm,
      relativeChange: size === 0 ? 0 : changeNorm / size,
      orthogonalityDefect,
      effectiveRank,
      negativeSingularValues,
      scale,
    });
  }
  return { weights, record: summarise(matrices, frobeniusNorm(sizes)) };
}

function summarise(matrices: MatrixEditRecord[], size: number): ModelEditRecord {
  const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
  const changeNorm = frobeniusNorm(matrices.map((record) => record.changeNorm));
  const scales = matrices.flatMap(({ scale }) => (scale === null ? [] : [scale]));
  return {
    changeNorm,
    relativeChange: size === 0 ? 0 : changeNorm / size,
    orthogonalityDefect: Math.max(0, ...matrices.map((record) => record.orthogonalityDefect)),
    effectiveRank: mean(matrices.map((record) => record.effectiveRank)),
    negativeSingularValues: matrices.reduce((sum, record) => sum + record.negativeSingularValues, 0),
    scale: scales.length === 0 ? null : mean(scales),
    matrices,
  };
}

/**
 * W_t + alpha (W_r - W_t) over every tensor: the way from one checkpoint to another without training.
 * @throws NOT_FOUND | SHAPE_MISMATCH naming the first weight that differs
 */
export function interpolateWeights(target: Weights, reference: Weights, alpha: number): EditedModel {
  const weights: EditedWeights = new Map();
  const changes: number[] = [];
  const sizes: number[] = [];
  for (const [name, { shape, data }] of target) {
    const other = reference.get(name);
    if (!other) throw new AppError('NOT_FOUND', `The reference checkpoint has no weight "${name}".`);
    if (other.shape.join() !== shape.join())
      throw new AppError(
        'SHAPE_MISMATCH',
        `"${name}" is [${shape.join(', ')}] in the target and [${other.shape.join(', ')}] in the reference.`,
      );
    const mixed = data.map((w, i) => (1 - alpha) * w + alpha * other.data[i]!);
    weights.set(name, { shape: [...shape], data: mixed });
    changes.push(frobeniusNorm(Float64Array.from(data, (w, i) => alpha * (other.data[i]! - w))));
    sizes.push(frobeniusNorm(data));
  }
  const changeNorm = frobeniusNorm(changes);
  const size = frobeniusNorm(sizes);
  const record = { ...summarise([], 0), changeNorm, relativeChange: size === 0 ? 0 : changeNorm / size };
  return { weights, record };
}
