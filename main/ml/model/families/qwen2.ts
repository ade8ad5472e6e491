/** Qwen2 and Qwen2.5 (Qwen2ForCausalLM): Llama with biases on q, k and v. */
import { type ModelFamily, plainFeatures, plainNames, refuseSlidingWindow } from './family.ts';

export const qwen2: ModelFamily = {
  modelType: 'qwen2',
  architecture: 'Qwen2ForCausalLM',
  label: 'Qwen2',
  configKey: null,
  names: plainNames,
  features(raw, unsupported) {
    refuseSlidingWindow(raw, unsupported);
    return { ...plainFeatures, qkvBias: true };
  },
  ownFields: () => ({ use_sliding_window: false }),
};
