/** Reverted weights against numpy, every variant of `spectral/reverted.json`, read from its name, in both precisions. */
import { describe, expect, it } from 'vitest';
import type { RealArray } from '../../../main/compute/lapack.ts';
import { revertModel, type CheckpointPair } from '../../../main/ml/reversion/revertModel.ts';
import { precisionSchema, projections } from '../../../main/contract/spectral.ts';
import { targetWeights } from '../../../main/ml/spectral/targetWeights.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson, readTensors } from '../fixtures.ts';
import { openPair } from './spectralPair.ts';
import { parseVariant } from './variants.ts';

interface Variant {
  name: string;
  tensors: number;
  tolerance_f64: number;
  tolerance_f32: number;
}

const present = hasFixture('spectral', 'reverted.json');
const { variants } = present ? readJson<{ variants: Variant[] }>('spectral', 'reverted.json') : { variants: [] };

describe.skipIf(!present).each(precisionSchema.options)('reverted checkpoints, SVD in %s', (precision) => {
  it('has variants', () => expect(variants.length).toBeGreaterThan(0));

  it.each(variants)('$name', ({ name, tensors, tolerance_f64, tolerance_f32 }) => {
    const pair = openPair(precision);
    const atol = precision === 'float32' ? tolerance_f32 : tolerance_f64;
    const expected = readTensors('spectral', 'reverted', `${name}.safetensors`);
    const { revert, ranks, layers, withO } = parseVariant(name);
    const matrices = withO ? projections : projections.filter((matrix) => matrix !== 'o');
    const weights = targetWeights(pair.target.weights, { matrices, layers }).map((weight) => weight.name);
    expect(weights.length).toBe(tensors);
    expect([...weights].sort()).toEqual([...expected.keys()].sort());

    const edited = revertModel(pair as CheckpointPair<RealArray>, { revert, ranks, weights });
    for (const [weight, { data }] of expected) expectClose(weight, edited.weights.get(weight)!.data, data, { atol });
    for (const [weight, { data }] of pair.target.weights)
      if (!expected.has(weight)) expect(edited.weights.get(weight)!.data).toBe(data);
  });
});
