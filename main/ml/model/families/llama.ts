/** Llama 2, 3 and what follows their layout (LlamaForCausalLM). */
import { type ModelFamily, plainFeatures, plainNames, refuseSlidingWindow } from './family.ts';

export const llama: ModelFamily = {
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  label: 'Llama',
  configKey: null,
  names: plainNames,
  features(raw, unsupported) {
    refuseSlidingWindow(raw, unsupported);
    const bias = raw['attention_bias'] === true;
    return { ...plainFeatures, qkvBias: bias, outputBias: bias, mlpBias: raw['mlp_bias'] === true };
  },
  ownFields: ({ outputBias, mlpBias }) => ({ attention_bias: outputBias, mlp_bias: mlpBias }),
};
