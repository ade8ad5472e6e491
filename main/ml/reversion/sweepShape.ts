/** Which weights a sweep edits, and whether target and reference fit each other; from headers alone. */
import { AppError } from '../../contract/errors.ts';
import type { Projection } from '../../contract/spectral.ts';
import type { SweepSettings } from '../../contract/sweeps.ts';
import { parseTargetWeight, type TargetWeight } from '../spectral/targetWeights.ts';
import type { SweepShape } from './planSweep.ts';

/** Headers of a checkpoint: name -> shape. */
export type TensorShapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

export interface EditedWeight extends TargetWeight {
  rows: number;
  columns: number;
  /** min(rows, columns). */
  rank: number;
}

/**
 * The weights of one pair that a sweep edits, by layer and then in the order of `matrices`; none for an interpolation,
 * which mixes every tensor.
 * @throws NOT_FOUND | SHAPE_MISMATCH naming the first weight; INVALID_REQUEST the model has none of these matrices
 */
export function editedWeights(
  target: TensorShapes,
  reference: TensorShapes,
  { sweep }: Pick<SweepSettings, 'sweep'>,
): EditedWeight[] {
  if (sweep.kind === 'interpolation') {
    for (const name of target.keys()) requireFit(name, target, reference);
    return [];
  }
  const { matrices } = sweep;
  const found = [...target.keys()].map(parseTargetWeight).filter((weight) => weight !== null);
  const weights = found.filter(({ matrix }) => matrices.includes(matrix)).map((weight) => sized(weight, target));
  if (weights.length === 0)
    throw new AppError('INVALID_REQUEST', `The target has no ${matrices.join(', ')} matrices in decoder layers.`, {
      hint: 'Choose a Llama- or Qwen-like checkpoint, or other matrices.',
    });
  for (const { name } of weights) requireFit(name, target, reference);
  const order = (matrix: Projection): number => matrices.indexOf(matrix);
  return weights.sort((a, b) => a.layer - b.layer || order(a.matrix) - order(b.matrix));
}

function sized(weight: TargetWeight, tensors: TensorShapes): EditedWeight {
  const [rows = 0, columns = 0, ...more] = tensors.get(weight.name)!.shape;
  if (rows === 0 || columns === 0 || more.length > 0)
    throw new AppError('SHAPE_MISMATCH', `"${weight.name}" is no matrix, so that it cannot be reverted.`, {
      hint: 'Leave these matrices out.',
    });
  return { ...weight, rows, columns, rank: Math.min(rows, columns) };
}

function requireFit(name: string, target: TensorShapes, reference: TensorShapes): void {
  const hint = 'Choose two checkpoints of one training run.';
  const wanted = target.get(name)!.shape;
  const found = reference.get(name)?.shape;
  if (!found) throw new AppError('NOT_FOUND', `The reference has no weight "${name}".`, { hint });
  if (found.join() !== wanted.join())
    throw new AppError(
      'SHAPE_MISMATCH',
      `"${name}" is [${wanted.join(', ')}] in the target and [${found.join(', ')}] in the reference.`,
      { hint },
    );
}

/**
 * What the plan has to know of all pairs together.
 * @throws SHAPE_MISMATCH the pairs are of different models, so that one axis cannot serve them
 */
export function sweepShape(pairs: readonly (readonly EditedWeight[])[]): SweepShape {
  const [first = [], ...others] = pairs;
  const outline = (weights: readonly EditedWeight[]): string =>
    weights.map(({ layer, matrix, rows, columns }) => [layer, matrix, rows, columns].join()).join(';');
  if (others.some((weights) => outline(weights) !== outline(first)))
    throw new AppError('SHAPE_MISMATCH', 'The pairs are checkpoints of different models.', {
      hint: 'Make a sweep of its own for each model.',
    });
  const layers = [...new Set(first.map(({ layer }) => layer))].sort((a, b) => a - b);
  return { layers, largestRank: Math.max(0, ...first.map(({ rank }) => rank)) };
}
