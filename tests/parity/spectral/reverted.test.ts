/** Reverted weights against numpy, every variant of `spectral/reverted.json`, read from its name. */
import { describe, expect, it } from 'vitest';
import { revertModel } from '../../../main/ml/reversion/revertModel.ts';
import { projections } from '../../../main/contract/spectral.ts';
import { targetWeights } from '../../../main/ml/spectral/targetWeights.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson, readTensors } from '../fixtures.ts';
import { openPair } from './spectralPair.ts';
import { parseVariant } from './variants.ts';

interface Variant {
  name: string;
  tensors: number;
  tolerance_f64: number;
}

const present = hasFixture('spectral', 'reverted.json');
const { variants } = present ? readJson<{ variants: Variant[] }>('spectral', 'reverted.json') : { variants: [] };

describe.skipIf(!present)('reverted checkpoints', () => {
  it('has variants', () => expect(variants.length).toBeGreaterThan(0));

  it.each(variants)('$name', ({ name, tensors, tolerance_f64 }) => {
    const pair = openPair();
    const expected = readTensors('spectral', 'reverted', `${name}.safetensors`);
    const { revert, ranks, layers, withO } = parseVariant(name);
    const matrices = withO ? projections : projections.filter((matrix) => matrix !== 'o');
    const weights = targetWeights(pair.target.weights, { matrices, layers }).map((weight) => weight.name);
    expect(weights.length).toBe(tensors);
    expect([...weights].sort()).toEqual([...expected.keys()].sort());

    const edited = revertModel(pair, { revert, ranks, weights });
    for (const [weight, { data }] of expected)
      expectClose(weight, edited.weights.get(weight)!.data, data, { atol: tolerance_f64 });
    for (const [weight, { data }] of pair.target.weights)
      if (!expected.has(weight)) expect(edited.weights.get(weight)!.data).toBe(data);
  });
});
