/** A whole edited model: reversions and their controls over the weights of a checkpoint. */
import type { RealArray } from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import type { Decomposition } from '../spectral/decompose.ts';
import { frobeniusNorm } from '../spectral/linearAlgebra.ts';
import type { Weights } from '../spectral/targetWeights.ts';
import type { ModelEditRecord } from '../../contract/sweeps.ts';
import { editMatrix, modelRecord, type ControlChoice, type SizedRecord } from './editMatrix.ts';
import type { MatrixReversion } from './revertMatrix.ts';

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

export interface EditedModel {
  weights: EditedWeights;
  record: ModelEditRecord;
}

/** @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE, naming the weight */
export function revertModel<T extends RealArray>(pair: CheckpointPair<T>, edit: ModelReversion): EditedModel {
  return editModel(pair, edit, null);
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
  return editModel(pair, edit, choice);
}

function editModel<T extends RealArray>(
  { target, reference }: CheckpointPair<T>,
  edit: ModelReversion,
  control: ControlChoice | null,
): EditedModel {
  const weights: EditedWeights = new Map();
  for (const [name, { shape, data }] of target.weights) weights.set(name, { shape: [...shape], data });
  const records = edit.weights.map((name): SizedRecord => {
    const of = target.of(name);
    const { weight, record } = editMatrix(name, of, reference.of(name), { ...edit, control });
    weights.set(name, { shape: [weight.rows, weight.columns], data: Float32Array.from(weight.data) });
    return { record, size: frobeniusNorm(of.weight.data) };
  });
  return { weights, record: modelRecord(records) };
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
  const record = { ...modelRecord([]), changeNorm, relativeChange: size === 0 ? 0 : changeNorm / size };
  return { weights, record };
}
