/** What a stage's settings say that it holds in memory. */
import { expect, test } from 'vitest';
import { sftSettingsSchema, textRlSettingsSchema } from '../../../../main/contract/settings.ts';
import { parseModelConfig } from '../../../../main/ml/model/modelConfig.ts';
import { plannedRl, plannedSft } from '../../../../main/ml/training/plannedTraining.ts';

const config = parseModelConfig({
  architectures: ['Qwen2ForCausalLM'], vocab_size: 100, hidden_size: 16, intermediate_size: 40, num_hidden_layers: 2,
  num_attention_heads: 4, num_key_value_heads: 2, tie_word_embeddings: true,
}); // prettier-ignore

test('SFT: rows, spectra at checkpoints, and the penalty by hand', () => {
  const sft = sftSettingsSchema.parse({ batchSize: 6, text: { microBatchSize: 8 } });
  const { atCheckpoints, ...plain } = plannedSft(config, sft, 3);
  expect(plain).toEqual({ kind: 'training', batch: 6 });
  // Three at a time of the largest, [40, 16], twice for what is freed late.
  expect(atCheckpoints).toBe(2 * 3 * 4 * (2.5 * 40 * 16 + 6 * 16 * 16));
  expect(plannedSft(config, { ...sft, spectralDrift: false }, 3).atCheckpoints).toBe(0);
  const rotationPenalty = { coefficient: 1, rankShare: 0.25 };
  // q [16, 16], k and v [8, 16]; gate, up and down [40, 16]: k of 4, 2, 2, 4.
  const held = 2 * 4 * (32 * 4 + 2 * 24 * 2 + 3 * 56 * 4);
  const step = 3 * 2 * 4 * (256 + 2 * 128 + 3 * 640);
  expect(plannedSft(config, { ...sft, rotationPenalty }, 3).penalty).toEqual({ held, step });
});

test('RL: the frozen base is held where a term reads it, its distributions where the anchor does', () => {
  const rl = textRlSettingsSchema.parse({ anchorCoef: 1, tokenKlCoef: 0.1, microBatchSize: null, minibatchSize: 12 });
  const held = { frozen: 1, anchored: true };
  expect(plannedRl(rl, 'ppoAnchor')).toEqual({ kind: 'training', batch: 12, rl: held });
  expect(plannedRl(rl, 'ppoPlain').rl).toEqual({ frozen: 1, anchored: false });
  expect(plannedRl(rl, 'anchorOnly').rl).toEqual(held);
  const without = { ...rl, tokenKlCoef: 0, microBatchSize: 2 };
  expect(plannedRl(without, 'ppoPlain')).toEqual({ kind: 'training', batch: 2, rl: { frozen: 0, anchored: false } });
  expect(plannedRl({ ...without, anchorCoef: 0 }, 'ppoAnchor').rl).toEqual({ frozen: 0, anchored: false });
});
