import { describe, expect, test } from 'vitest';
import { type ModelConfig, parseModelConfig, toHuggingFaceConfig } from '../../../../main/ml/model/modelConfig.ts';
import { initWeights, parameterCount, reversibleMatrices, weightCatalogue } from '../../../../main/ml/model/weights.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { toyConfig } from '../training/toyRun.ts';

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 50,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 128,
  tie_word_embeddings: false,
  rope_theta: 500000,
  eos_token_id: [1, 2],
};

const llama3Scaling = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 64,
};
const mllamaText = { ...llama, rope_scaling: llama3Scaling, num_hidden_layers: 4, cross_attention_layers: [1, 3] };

describe('parseModelConfig', () => {
  test('reads the layout of the hub', () => {
    expect(parseModelConfig(llama)).toMatchObject({
      headDim: 8,
      ropeTheta: 500000,
      qkvBias: false,
      eosTokenId: [1, 2],
    });
  });

  test('reads the layout of transformers 5', () => {
    const { rope_theta, ...rest } = llama;
    const newer = { ...rest, rope_parameters: { rope_theta, rope_type: 'default' }, dtype: 'bfloat16' };
    expect(parseModelConfig(newer)).toEqual(parseModelConfig(llama));
  });

  test('Qwen2 has biases on q, k, v and nowhere else', () => {
    const qwen2 = { ...llama, architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
    expect(parseModelConfig(qwen2)).toMatchObject({
      modelType: 'qwen2',
      qkvBias: true,
      outputBias: false,
      mlpBias: false,
    });
  });

  test('what is written is read back the same', () => {
    for (const config of [
      toyConfig,
      parseModelConfig(llama),
      parseModelConfig({ ...llama, attention_bias: true, mlp_bias: true }),
      parseModelConfig({ ...llama, rope_theta: 5e5, rope_scaling: llama3Scaling }),
      parseModelConfig({ ...llama, architectures: ['Qwen2ForCausalLM'] }),
      parseModelConfig({ ...llama, architectures: ['Qwen3ForCausalLM'], head_dim: 24, attention_bias: true }),
      parseModelConfig({ architectures: ['MllamaForConditionalGeneration'], text_config: mllamaText }),
    ]) {
      expect(parseModelConfig(JSON.parse(JSON.stringify(toHuggingFaceConfig(config))))).toEqual(config);
    }
  });

  test.each([
    [{ ...llama, architectures: ['Gemma3ForCausalLM'] }, 'Gemma3ForCausalLM'],
    [{ model_type: 'gpt2' }, 'gpt2'],
    [{ ...llama, rope_scaling: { type: 'linear', factor: 2 } }, 'linear'],
    [{ ...llama, rope_parameters: { rope_type: 'yarn', rope_theta: 1e4 } }, 'yarn'],
    [{ ...llama, hidden_act: 'gelu' }, 'gelu'],
    [{ ...llama, use_sliding_window: true }, 'Sliding-window'],
    [{ ...llama, layer_types: ['full_attention', 'sliding_attention'] }, 'Sliding-window'],
  ])('refuses what it cannot compute, by name', (json, named) => {
    expect(() => parseModelConfig(json)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_UNSUPPORTED' }));
    expect(() => parseModelConfig(json)).toThrow(named);
  });

  test.each([
    [null, 'architecture'],
    [{ ...llama, hidden_size: undefined }, 'hidden_size'],
    [{ ...llama, hidden_size: '32' }, 'hidden_size'],
    [{ ...llama, num_key_value_heads: 3 }, 'num_key_value_heads'],
    [{ ...llama, hidden_size: 30 }, 'hidden_size'],
    [{ ...llama, head_dim: 7 }, 'head_dim'],
    [{ ...llama, rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'low_freq_factor'],
    [
      { architectures: ['MllamaForConditionalGeneration'], text_config: { ...llama, vocab_size: 0 } },
      'text_config.vocab_size',
    ],
    [{ architectures: ['MllamaForConditionalGeneration'] }, 'text_config'],
  ])('names the field that is wrong', (json, field) => {
    expect(() => parseModelConfig(json)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_INVALID' }));
    expect(() => parseModelConfig(json)).toThrow(field);
  });
});

describe('the weight catalogue', () => {
  const config = parseModelConfig(llama);

  test('counts what the shapes say', () => {
    const perLayer = 32 * 32 * 2 + 16 * 32 * 2 + 3 * 32 * 48 + 2 * 32;
    expect(parameterCount(config)).toBe(2 * 50 * 32 + 2 * perLayer + 32);
  });

  test('six reversible matrices a layer, in [out, in]', () => {
    const matrices = reversibleMatrices(config);
    expect(matrices).toHaveLength(12);
    expect(matrices[1]).toEqual({
      name: 'model.layers.0.self_attn.k_proj.weight',
      matrix: 'k',
      layer: 0,
      rows: 16,
      columns: 32,
    });
    expect(matrices.some(({ name }) => /o_proj|norm|embed/.test(name))).toBe(false);
  });

  test('norms of queries and keys', () => {
    const qwen3 = parseModelConfig({ ...llama, architectures: ['Qwen3ForCausalLM'], head_dim: 24 });
    const byName = new Map(weightCatalogue(qwen3).map((weight) => [weight.name, weight.shape]));
    expect(byName.get('model.layers.1.self_attn.q_norm.weight')).toEqual([24]);
    expect(byName.get('model.layers.1.self_attn.q_proj.weight')).toEqual([96, 32]);
    expect(weightCatalogue(config).some(({ name }) => name.includes('q_norm'))).toBe(false);
  });

  test('layers that text passes by are left out; the names follow those of the weights', () => {
    const json = { architectures: ['MllamaForConditionalGeneration'], text_config: mllamaText };
    const layersOf = (config: ModelConfig): Set<number | null> => {
      return new Set(weightCatalogue(config).map(({ layer }) => layer));
    };
    const hub = parseModelConfig(json);
    expect(layersOf(hub)).toEqual(new Set([null, 0, 2]));
    expect(weightCatalogue(hub)[0]).toMatchObject({
      name: 'language_model.model.embed_tokens.weight',
      shape: [58, 32],
    });
    const newer = parseModelConfig(json, new Set(['model.language_model.embed_tokens.weight']));
    expect(layersOf(newer)).toEqual(new Set([null, 0, 2]));
    expect(weightCatalogue(newer).at(-1)?.name).toBe('lm_head.weight');
    expect(weightCatalogue(newer).map(({ shape }) => shape)).toEqual(weightCatalogue(hub).map(({ shape }) => shape));
  });

  test('initial weights have the spread of the recipe', () => {
    const wide = { ...config, hiddenSize: 64, headDim: 16, intermediateSize: 160 };
    const weights = initWeights(wide, new Philox(1));
    const deviation = (name: string): number => {
      const { data } = weights.get(name)!;
      return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    };
    expect([...weights.keys()]).toEqual(weightCatalogue(wide).map(({ name }) => name));
    // 5 % is five standard errors at the smallest matrix here
    const near = (actual: number, expected: number): void => expect(Math.abs(actual / expected - 1)).toBeLessThan(0.05);
    near(deviation('model.layers.0.self_attn.q_proj.weight'), 64 ** -0.5);
    near(deviation('model.layers.1.mlp.gate_proj.weight'), 64 ** -0.5);
    near(deviation('model.layers.0.self_attn.o_proj.weight'), 0.5 * 64 ** -0.5);
    near(deviation('model.layers.1.mlp.down_proj.weight'), 0.5 * 64 ** -0.5);
    near(deviation('model.embed_tokens.weight'), 0.5 * 64 ** -0.5);
    expect(deviation('model.norm.weight')).toBe(1);
  });
});
