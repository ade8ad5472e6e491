/** Which weights a comparison visits, from headers alone: what does not fit is found before anything is computed. */
import { AppError } from '../../contract/errors.ts';
import type { ComparisonSettings } from '../../contract/spectral.ts';
import type { TargetWeight } from './targetWeights.ts';
import type { TensorSource } from './tensorSource.ts';

export interface ComparedWeight extends TargetWeight {
  shape: [rows: number, columns: number];
}

type NamedSource = { name: string; source: TensorSource };

/**
 * The chosen matrices of the reference, by layer and matrix.
 * @throws INVALID_REQUEST the choice is empty
 */
export function chosenWeights(
  { name, source }: NamedSource,
  { matrices, layers }: Pick<ComparisonSettings, 'matrices' | 'layers'>,
): ComparedWeight[] {
  const chosen = chosenTargets(source, { matrices, layers });
  if (chosen.length > 0) return chosen.map((weight) => ({ ...weight, shape: source.shape(weight.name) }));
  const all = new Set(source.targets.map(({ layer }) => layer));
  throw new AppError('INVALID_REQUEST', `"${name}" has none of the chosen matrices.`, {
    hint:
      all.size === 0
        ? 'Only weights with the names of a Hugging Face decoder can be compared (q_proj, k_proj, ..., down_proj).'
        : `Choose among its layers ${Math.min(...all)} to ${Math.max(...all)}, or other matrices.`,
  });
}

function chosenTargets(
  source: TensorSource,
  { matrices, layers }: Pick<ComparisonSettings, 'matrices' | 'layers'>,
): TargetWeight[] {
  return source.targets.filter(
    ({ layer, matrix }) => matrices.includes(matrix) && (layers === null || layers.includes(layer)),
  );
}

/**
 * Whether another checkpoint has the same weights in the same shapes, and no other of the chosen ones.
 * @throws SHAPE_MISMATCH | NOT_FOUND naming the first weight
 */
export function requireSameWeights(
  weights: readonly ComparedWeight[],
  reference: string,
  { name, source }: NamedSource,
  settings: Pick<ComparisonSettings, 'matrices' | 'layers'>,
): void {
  const hint = 'Compare checkpoints of one training run.';
  const there = new Set(source.targets.map((target) => target.name));
  for (const { name: weight, shape } of weights) {
    if (!there.has(weight))
      throw new AppError('NOT_FOUND', `"${name}" has no weight "${weight}", which "${reference}" has.`, {
        hint,
        details: { weight },
      });
    const other = source.shape(weight);
    if (shape[0] !== other[0] || shape[1] !== other[1])
      throw new AppError(
        'SHAPE_MISMATCH',
        `"${weight}" is [${shape.join(', ')}] in "${reference}" and [${other.join(', ')}] in "${name}".`,
        { hint, details: { weight } },
      );
  }
  const known = new Set(weights.map((weight) => weight.name));
  const extra = chosenTargets(source, settings).find((target) => !known.has(target.name));
  if (extra)
    throw new AppError('NOT_FOUND', `"${reference}" has no weight "${extra.name}", which "${name}" has.`, {
      hint,
      details: { weight: extra.name },
    });
}
