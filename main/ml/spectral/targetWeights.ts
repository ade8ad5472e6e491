/** Which weights are decomposed and reverted: the projections of the decoder layers, by their Hugging Face names. */
import { AppError } from '../../contract/errors.ts';
import type { Projection } from '../../contract/spectral.ts';
import type { MatrixLike } from './linearAlgebra.ts';

/** Hugging Face names, `[out, in]` layout. */
export type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

export interface TargetWeight {
  name: string;
  layer: number;
  matrix: Projection;
}

// a vision tower has layers too, but none under `self_attn` with these names in a text decoder's path
const pattern = /^(?!.*vision).*\blayers\.(\d+)\.(?:self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj\.weight$/;

/** What a weight name stands for, or null when it is none of the targets. */
export function parseTargetWeight(name: string): TargetWeight | null {
  const match = pattern.exec(name);
  return match ? { name, layer: Number(match[1]), matrix: match[2] as Projection } : null;
}

/** The targets of a checkpoint, by layer and then in the order of `matrices`. `layers` absent: all. */
export function targetWeights(
  weights: Weights,
  { matrices, layers }: { matrices: readonly Projection[]; layers?: readonly number[] | undefined },
): TargetWeight[] {
  const found = [...weights.keys()].map(parseTargetWeight).filter((target) => target !== null);
  return found
    .filter(({ layer, matrix }) => matrices.includes(matrix) && (!layers || layers.includes(layer)))
    .sort((a, b) => a.layer - b.layer || matrices.indexOf(a.matrix) - matrices.indexOf(b.matrix));
}

/** Layers 0 .. count - 1 of which the first or the last are taken; a `set` is taken as it is. */
export function selectLayers(
  count: number,
  choice: { first: number } | { last: number } | { set: readonly number[] },
): number[] {
  const all = Array.from({ length: count }, (_, layer) => layer);
  if ('first' in choice) return all.slice(0, choice.first);
  if ('last' in choice) return choice.last === 0 ? [] : all.slice(-choice.last);
  return all.filter((layer) => choice.set.includes(layer));
}

/** One weight as a matrix. @throws NOT_FOUND | SHAPE_MISMATCH (not two-dimensional) */
export function weightMatrix(weights: Weights, name: string): MatrixLike {
  const weight = weights.get(name);
  if (!weight)
    throw new AppError('NOT_FOUND', `The checkpoint has no weight "${name}".`, {
      hint: 'Compare checkpoints of one training run.',
    });
  const [rows, columns] = weight.shape;
  if (weight.shape.length !== 2 || rows === undefined || columns === undefined)
    throw new AppError(
      'SHAPE_MISMATCH',
      `"${name}" has ${weight.shape.length} dimensions; only matrices can be decomposed.`,
    );
  return { rows, columns, data: weight.data };
}
