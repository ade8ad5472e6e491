/**
 * Logits of whole edited models against PyTorch: `spectral/reverted_logits.safetensors`. A reversion that is right matrix by
 * matrix can still land in the wrong weight; this catches it. Includes the published scripts' reading of "all vectors", a
 * copy of the base (`paperCompatible`).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCompute, type Compute } from '../../../main/compute/compute.ts';
import type { RealArray } from '../../../main/compute/lapack.ts';
import { logits as logitsOf } from '../../../main/ml/model/decoder.ts';
import { LanguageModel } from '../../../main/ml/model/languageModel.ts';
import { parseModelConfig, type ModelConfig } from '../../../main/ml/model/modelConfig.ts';
import type { WeightMap } from '../../../main/ml/model/weights.ts';
import { revertModel, type CheckpointPair } from '../../../main/ml/reversion/revertModel.ts';
import { precisionSchema, projections } from '../../../main/contract/spectral.ts';
import { targetWeights } from '../../../main/ml/spectral/targetWeights.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson, readTensors } from '../fixtures.ts';
import { openPair } from './spectralPair.ts';
import { parseVariant } from './variants.ts';

interface Variant {
  name: string;
  logits_tolerance_f64: number;
  logits_tolerance_f32: number;
}

/** What the file has beside the variants. */
const whole = ['base', 'end', 'authors_full_is_base_copy'] as const;

const present = hasFixture('spectral', 'reverted_logits.safetensors');
const { variants } = present ? readJson<{ variants: Variant[] }>('spectral', 'reverted.json') : { variants: [] };

describe.skipIf(!present).each(precisionSchema.options)('logits of edited models, SVD in %s', (precision) => {
  const tolerances = new Map(
    variants.map((variant) => [
      variant.name,
      precision === 'float32' ? variant.logits_tolerance_f32 : variant.logits_tolerance_f64,
    ]),
  );
  /** Nothing is edited in base and end, so that only the forward pass can be off. */
  const tightest = Math.min(...tolerances.values());
  const expected = present ? readTensors('spectral', 'reverted_logits.safetensors') : new Map<string, never>();
  const names = [...expected.keys()].filter((name) => name !== 'input_ids');
  let compute: Compute;
  let config: ModelConfig;
  let pair: CheckpointPair<RealArray>;
  let model: LanguageModel;

  beforeAll(async () => {
    compute = await openCompute({ backend: 'auto' });
    config = parseModelConfig(readJson('tiny-llama-end', 'config.json'));
    pair = openPair(precision);
    model = new LanguageModel(compute, config, pair.target.weights as WeightMap);
  });
  afterAll(() => model.dispose());

  function weightsOf(name: string): WeightMap {
    if (name === 'base') return pair.reference.weights as WeightMap;
    if (name === 'end') return pair.target.weights as WeightMap;
    const copied = name === 'authors_full_is_base_copy';
    const { revert, ranks, layers, withO } = parseVariant(copied ? 'vector_full' : name);
    const matrices = withO ? projections : projections.filter((matrix) => matrix !== 'o');
    const weights = targetWeights(pair.target.weights, { matrices, layers }).map((weight) => weight.name);
    return revertModel(pair, { revert, ranks, weights, paperCompatible: copied }).weights;
  }

  it('cover every variant', () => expect([...names].sort()).toEqual([...tolerances.keys(), ...whole].sort()));

  it.each(names)('%s', async (name) => {
    const { shape, data } = expected.get('input_ids')!;
    await model.writeWeights(weightsOf(name));
    const step = model.step('logits', { ids: { shape, dtype: 'int32' } }, ({ ids }) => ({
      logits: logitsOf(compute.tf, config, model.variable, { ids: ids! }),
    }));
    const { logits } = await step.run({ ids: Int32Array.from(data) });
    expect(logits!.shape).toEqual(expected.get(name)!.shape);
    expectClose('logits', logits!.data, expected.get(name)!.data, { atol: tolerances.get(name) ?? tightest });
  });
});
