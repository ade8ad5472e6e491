/** `vector_top4_tail4`, `value_layers0-1`, `vector_full_without_o_proj`: what the name of a reverted fixture says. */
import type { RankSelection, RevertKind } from '../../../main/contract/sweeps.ts';

export interface ParsedVariant {
  revert: RevertKind;
  ranks: RankSelection | undefined;
  layers: number[] | undefined;
  withO: boolean;
}

/** @throws Error for a name of another form, so that a new variant is never skipped silently */
export function parseVariant(name: string): ParsedVariant {
  const form = /^(value|vector)_(?:full|top(\d+)(?:_tail(\d+))?|layers(\d+)-(\d+))(_without_o_proj)?$/;
  const match = form.exec(name);
  if (!match) throw new Error(`Unknown variant "${name}"`);
  const [, kind, top, tail, firstLayer, lastLayer, withoutO] = match;
  const layers =
    firstLayer === undefined
      ? undefined
      : Array.from({ length: Number(lastLayer) - Number(firstLayer) + 1 }, (_, i) => Number(firstLayer) + i);
  return {
    revert: kind === 'value' ? 'singularValues' : 'singularVectors',
    ranks: top === undefined ? undefined : { top: Number(top), bottom: Number(tail ?? 0) },
    layers,
    withO: withoutO === undefined,
  };
}
