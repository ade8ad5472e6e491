/**
 * The text tower of Llama 3.2 Vision (MllamaForConditionalGeneration). Without an image the cross-attention layers are
 * passed by altogether, so their weights, the projector and the vision tower are not read; a checkpoint that is saved
 * again carries them along as they were. The embedding has eight rows more than the vocabulary, for image tokens.
 */
import { type ModelFamily, plainFeatures } from './family.ts';

const imageTokenRows = 8;

export const mllama: ModelFamily = {
  modelType: 'mllama',
  architecture: 'MllamaForConditionalGeneration',
  label: 'Mllama (its text tower)',
  configKey: 'text_config',
  names: {
    hub: {
      embedding: 'language_model.model.embed_tokens.weight',
      layers: 'language_model.model.layers',
      norm: 'language_model.model.norm.weight',
      lmHead: 'language_model.lm_head.weight',
    },
    /** What transformers >= 4.52 calls the same parameters once they are loaded. */
    inMemory: {
      embedding: 'model.language_model.embed_tokens.weight',
      layers: 'model.language_model.layers',
      norm: 'model.language_model.norm.weight',
      lmHead: 'lm_head.weight',
    },
  },
  features(raw, unsupported) {
    const listed = raw['cross_attention_layers'] ?? [];
    if (!Array.isArray(listed) || !listed.every((layer) => Number.isSafeInteger(layer)))
      throw unsupported('"cross_attention_layers" is no list of layer numbers.');
    return { ...plainFeatures, skippedLayers: listed as number[], extraEmbeddingRows: imageTokenRows };
  },
  ownFields: ({ skippedLayers }) => ({ cross_attention_layers: skippedLayers }),
};
