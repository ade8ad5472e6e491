import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { headerHash, modelWarnings, nameOfPlace } from '../../../../main/ml/checkpoints/describeCheckpoint.ts';
import { stepOfName } from '../../../../main/ml/checkpoints/trajectory.ts';
import type { CheckpointPlace } from '../../../../main/ml/checkpoints/locateCheckpoint.ts';
import type { CheckpointTensor } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { parseModelConfig } from '../../../../main/ml/model/modelConfig.ts';
import { weightCatalogue } from '../../../../main/ml/model/weights.ts';

const placeOf = (location: string, root = location): CheckpointPlace => {
  return { location, root, kind: 'single', file: 'model.safetensors', ownsFolder: true };
};

describe('nameOfPlace and stepOfName', () => {
  it.each([
    ['/runs/sft/checkpoint-400', 'checkpoint-400', 400],
    ['/runs/step_50', 'step_50', 50],
    ['/runs/global_step1200', 'global_step1200', 1200],
    ['/runs/sft-step-7-merged', 'sft-step-7-merged', 7],
    ['/models/Qwen2-0.5B', 'Qwen2-0.5B', null],
    ['/models/footstep-3', 'footstep-3', null],
    ['/hub/models--org--tiny/snapshots/0a1b', 'org/tiny', null],
  ])('%s', (location, name, step) => {
    expect(nameOfPlace(placeOf(location))).toBe(name);
    expect(stepOfName(name)).toBe(step);
  });

  it('of one file among several go by the file', () => {
    expect(nameOfPlace(placeOf('/pile/a.fp16.safetensors', '/pile'))).toBe('a.fp16');
    expect(nameOfPlace(placeOf('/both/model.safetensors.index.json', '/both'))).toBe('model');
  });
});

describe('headerHash', () => {
  const tensors = [
    { name: 'b', dtype: 'F32', shape: [2, 3] },
    { name: 'a', dtype: 'BF16', shape: [] },
  ];
  it('is the SHA-256 of one line a tensor, whatever their order', () => {
    const text = '["a","BF16"]\n["b","F32",2,3]\n';
    const expected = createHash('sha256').update(text).digest('hex');
    expect(headerHash(tensors)).toBe(expected);
    expect(headerHash(tensors.toReversed())).toBe(expected);
  });

  it('differs when a name, type or shape does', () => {
    const changed = [
      [{ ...tensors[0]!, name: 'c' }, tensors[1]!],
      [{ ...tensors[0]!, dtype: 'F16' }, tensors[1]!],
      [{ ...tensors[0]!, shape: [3, 2] }, tensors[1]!],
      [{ ...tensors[0]!, shape: [6] }, tensors[1]!],
      [tensors[0]!],
    ];
    expect(new Set([tensors, ...changed].map(headerHash)).size).toBe(changed.length + 1);
  });
});

describe('modelWarnings', () => {
  const config = {
    architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 11, hidden_size: 8, intermediate_size: 12,
    num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, tie_word_embeddings: true,
  }; // prettier-ignore
  const tensors = (): Map<string, CheckpointTensor> => {
    return new Map(
      weightCatalogue(parseModelConfig(config)).map(({ name, shape }) => [name, { name, shape } as CheckpointTensor]),
    );
  };

  it('are none when weights and configuration fit, or there is no configuration', () => {
    expect(modelWarnings({ config, tensors: tensors() })).toEqual([]);
    expect(modelWarnings({ config: null, tensors: new Map() })).toEqual([]);
  });

  it('name the weight that is missing or has another shape', () => {
    const lacking = tensors();
    lacking.delete('model.norm.weight');
    expect(modelWarnings({ config, tensors: lacking })[0]).toContain('"model.norm.weight"');
    const [warning] = modelWarnings({ config: { ...config, vocab_size: 12 }, tensors: tensors() });
    expect(warning).toContain('model.embed_tokens.weight is [11, 8], the configuration needs [12, 8]');
  });

  it('name an architecture that is not supported', () => {
    const [warning] = modelWarnings({ config: { ...config, architectures: ['OtherForCausalLM'] }, tensors: tensors() });
    expect(warning).toContain('OtherForCausalLM');
  });
});
