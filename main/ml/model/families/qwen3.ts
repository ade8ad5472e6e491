/** Qwen3 (Qwen3ForCausalLM): Llama with an RMS norm over each head's query and key before they are rotated. */
import { type ModelFamily, plainFeatures, plainNames, refuseSlidingWindow } from './family.ts';

export const qwen3: ModelFamily = {
  modelType: 'qwen3',
  architecture: 'Qwen3ForCausalLM',
  label: 'Qwen3',
  configKey: null,
  names: plainNames,
  features(raw, unsupported) {
    refuseSlidingWindow(raw, unsupported);
    const bias = raw['attention_bias'] === true;
    return { ...plainFeatures, qkNorm: true, qkvBias: bias, outputBias: bias };
  },
  ownFields: ({ outputBias }) => ({ attention_bias: outputBias, use_sliding_window: false }),
};
