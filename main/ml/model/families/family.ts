/**
 * What tells one decoder family from another, as data: where its `config.json` says what, which parts its layers have,
 * and how its weights are called. Configuration, weight catalogue, decoder and import checks read this.
 */
import type { AppError } from '../../../contract/errors.ts';
import type { ModelConfig } from '../modelConfig.ts';

/** The parts that a family's layers have or lack. */
export type FamilyFeatures = Pick<
  ModelConfig,
  'qkvBias' | 'outputBias' | 'mlpBias' | 'qkNorm' | 'skippedLayers' | 'extraEmbeddingRows'
>;

/** The decoder's fields of `config.json`, as they are. */
export type RawDecoderConfig = Readonly<Record<string, unknown>>;

/** How the weights around the layers are called; inside a layer all families use the names of Llama. */
export interface WeightNames {
  embedding: string;
  /** Before ".<number>." */
  layers: string;
  norm: string;
  lmHead: string;
}

export interface ModelFamily {
  /** `model_type` of `config.json`. */
  modelType: string;
  /** In `architectures`. */
  architecture: string;
  /** For messages. */
  label: string;
  /** The key of `config.json` that holds the decoder's fields; null: they are at the top. */
  configKey: string | null;
  /** Naming schemes by their names, the one of the hub first. */
  names: Readonly<Record<string, WeightNames>>;
  /** @throws what `unsupported` makes, of a setting that is not computed here */
  features(raw: RawDecoderConfig, unsupported: (message: string) => AppError): FamilyFeatures;
  /** Fields of `config.json` beside those of every family. */
  ownFields(config: ModelConfig): Record<string, unknown>;
}

/** The names of a decoder that is the whole model. */
export const plainNames = {
  hub: {
    embedding: 'model.embed_tokens.weight',
    layers: 'model.layers',
    norm: 'model.norm.weight',
    lmHead: 'lm_head.weight',
  },
} as const;

export const plainFeatures: FamilyFeatures = {
  qkvBias: false,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  skippedLayers: [],
  extraEmbeddingRows: 0,
};

/** Attention over a window only, which is not computed here. */
export function refuseSlidingWindow(raw: RawDecoderConfig, unsupported: (message: string) => AppError): void {
  const types = Array.isArray(raw['layer_types']) ? raw['layer_types'] : [];
  if (raw['use_sliding_window'] === true || types.some((type) => type !== 'full_attention'))
    throw unsupported('Sliding-window attention is not supported.');
}
