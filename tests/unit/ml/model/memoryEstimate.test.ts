/** The estimate grows with what costs memory, counts what can be counted by hand, and refuses with a way out. */
import { describe, expect, test } from 'vitest';
import { type PlannedRun, estimateMemory, hostBytes, requireMemory } from '../../../../main/ml/model/memoryEstimate.ts';
import { parseModelConfig } from '../../../../main/ml/model/modelConfig.ts';

const qwen = parseModelConfig({
  architectures: ['Qwen2ForCausalLM'], vocab_size: 151_936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24,
  num_attention_heads: 14, num_key_value_heads: 2, tie_word_embeddings: true,
}); // prettier-ignore

const generation: PlannedRun = { kind: 'generation', batch: 8, promptTokens: 100, newTokens: 28 };
const training = { kind: 'training', batch: 4, promptTokens: 96, answerTokens: 32 } as const;
/** The base's distributions on a micro-batch. */
const distributions = 4 * 4 * 32 * 151_936;

describe('estimateMemory', () => {
  test('weights, moments and gradients by hand: 494,032,768 parameters in float32', () => {
    const { weights, moments, gradients } = estimateMemory(qwen, training);
    expect(weights).toBe(4 * 494_032_768);
    expect(moments).toBe(2 * weights);
    expect(gradients).toBe(2 * weights);
    expect(estimateMemory(qwen, generation)).toMatchObject({ weights, moments: 0, gradients: 0 });
  });

  test('the cache by hand: 2 x 24 layers x 8 rows x 2 heads x 128 slots x 64, twice', () => {
    expect(estimateMemory(qwen, generation).keyValueCache).toBe(2 * 4 * 2 * 24 * 8 * 2 * 128 * 64);
  });

  test.each([
    [generation, 'batch', 'keyValueCache'],
    [generation, 'batch', 'logits'],
    [generation, 'promptTokens', 'activations'],
    [training, 'batch', 'activations'],
    [training, 'promptTokens', 'activations'],
    [training, 'answerTokens', 'logits'],
  ] as const)('more of %j, %s: more %s, and the sum is the total', (run, field, part) => {
    const larger = { ...run, [field]: 64 * (run as never)[field] };
    const [before, after] = [estimateMemory(qwen, run), estimateMemory(qwen, larger)];
    expect(after[part]).toBeGreaterThan(before[part]);
    const { total, ...parts } = after;
    expect(Object.values(parts).reduce((sum, one) => sum + one, 0)).toBe(total);
  });

  test('RL by hand: a frozen base of the same size, its distributions in ten copies', () => {
    const { weights, program, total } = estimateMemory(qwen, training);
    const plain = estimateMemory(qwen, { ...training, rl: { frozen: 0, anchored: false } });
    expect(plain).toMatchObject({ frozen: 0, anchor: 0 });
    expect(plain.program).toBeGreaterThan(program);
    const rl = estimateMemory(qwen, { ...training, rl: { frozen: 1, anchored: true } });
    expect(rl).toMatchObject({ frozen: weights, anchor: 10 * distributions });
    expect(rl.total).toBe(plain.total + weights + 10 * distributions);
    expect(plain.total).toBe(total + plain.program - program);
  });

  test('a penalty is held beside the steps; checkpoints count for what they take beyond the steps', () => {
    const { total, activations, logits } = estimateMemory(qwen, training);
    expect(estimateMemory(qwen, { ...training, penalty: { held: 5, step: 7 } }).total).toBe(total + 12);
    const step = activations + logits;
    expect(estimateMemory(qwen, { ...training, atCheckpoints: step }).total).toBe(total);
    expect(estimateMemory(qwen, { ...training, atCheckpoints: step + 9 }).total).toBe(total + 9);
  });

  test('on a GPU the machine itself holds the distributions as they are read and fed, or the spectra at checkpoints', () => {
    const bare = hostBytes(qwen, training);
    expect(hostBytes(qwen, { ...training, rl: { frozen: 1, anchored: true } })).toBe(bare + 3 * distributions);
    expect(hostBytes(qwen, { ...training, rl: { frozen: 1, anchored: false } })).toBe(bare);
    expect(hostBytes(qwen, { ...training, atCheckpoints: 1e9 })).toBe(bare + 1e9);
  });

  test('layers that text passes by count for nothing', () => {
    const run = { ...training, batch: 64 };
    const { weights, activations } = estimateMemory({ ...qwen, skippedLayers: [1, 2, 3] }, run);
    expect(weights).toBeLessThan(estimateMemory(qwen, run).weights);
    expect(activations).toBeLessThan(estimateMemory(qwen, run).activations);
  });
});

describe('requireMemory', () => {
  test('passes the estimate on when it fits', () => {
    expect(requireMemory(qwen, training, 1e12)).toEqual(estimateMemory(qwen, training));
  });

  test('names the largest batch that fits, which does, and the next one does not', () => {
    const run = { ...training, batch: 64 };
    const available = 14e9;
    try {
      requireMemory(qwen, run, available);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
      const { details, hint, message } = error as { details: { largestBatch: number }; hint: string; message: string };
      const { largestBatch } = details;
      expect(largestBatch).toBeGreaterThan(0);
      expect(estimateMemory(qwen, { ...run, batch: largestBatch }).total).toBeLessThanOrEqual(available);
      expect(estimateMemory(qwen, { ...run, batch: largestBatch + 1 }).total).toBeGreaterThan(available);
      expect(hint).toContain(`micro-batch to ${largestBatch}`);
      expect(message).toContain('14.0 GB are free');
    }
  });

  test('says so when nothing fits', () => {
    expect(() => requireMemory(qwen, training, 1e9)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('A single row does not fit') as string }),
    );
  });
});
