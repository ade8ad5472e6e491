/**
 * The shape of a decoder, read from and written as a Hugging Face `config.json`. Both layouts are read: the one of the
 * hub (transformers 4: `rope_theta`, `rope_scaling`, `torch_dtype` at the top level) and the one transformers 5 writes
 * (`rope_parameters`, `dtype`). Names are Hugging Face's, in camelCase.
 */
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { ModelSettings } from '../../contract/settings.ts';
import { familyOf, findFamily, unsupported } from './families.ts';
import { plainFeatures } from './families/family.ts';
import { type Llama3RopeScaling, parseRope, ropeFields, writeRope } from './rope.ts';

export interface ModelConfig {
  /** Hugging Face's `model_type`, which names the family. */
  modelType: string;
  /** The family's naming scheme that the weights follow. */
  naming: string;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: Llama3RopeScaling | null;
  maxPositionEmbeddings: number;
  tieWordEmbeddings: boolean;
  /** Biases of q, k, v. */
  qkvBias: boolean;
  /** Bias of the output projection. */
  outputBias: boolean;
  mlpBias: boolean;
  /** RMS norms over each head's query and key. */
  qkNorm: boolean;
  /** Layers that text passes by (cross-attention to images); their weights are not read. */
  skippedLayers: number[];
  /** Rows of the embedding beyond the vocabulary. */
  extraEmbeddingRows: number;
  bosTokenId: number | null;
  eosTokenId: number | number[] | null;
  padTokenId: number | null;
}

const size = z.number().int().positive();
const tokenId = z.number().int().nullish();

const decoderSchema = z.looseObject({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  max_position_embeddings: size.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  hidden_act: z.string().default('silu'),
  ...ropeFields,
  bos_token_id: tokenId,
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  pad_token_id: tokenId,
});

/**
 * @param json the parsed `config.json`
 * @param tensors names of the weights, where a family's naming has more than one scheme; without them the hub's is taken
 * @throws CHECKPOINT_UNSUPPORTED another architecture, activation, RoPE scaling or sliding-window attention, by name
 * @throws CHECKPOINT_INVALID a field is missing or of the wrong type, by name
 */
export function parseModelConfig(json: unknown, tensors?: { has(name: string): boolean }): ModelConfig {
  const family = findFamily(json);
  const { configKey, names } = family;
  const parsed = decoderSchema.safeParse(configKey === null ? json : (json as Record<string, unknown>)[configKey]);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const field = [configKey ?? [], issue.path].flat().join('.') || 'the file';
    throw new AppError('CHECKPOINT_INVALID', `config.json: ${field}: ${issue.message}.`, {
      hint: 'Take config.json from the same checkpoint as the weights.',
    });
  }
  const raw = parsed.data;
  if (raw.hidden_act !== 'silu')
    throw unsupported(`The activation "${raw.hidden_act}" is not supported; only silu is.`);
  const numKeyValueHeads = raw.num_key_value_heads ?? raw.num_attention_heads;
  checkHeads(raw.hidden_size, raw.num_attention_heads, numKeyValueHeads, raw.head_dim ?? null);
  const schemes = Object.keys(names);
  return {
    modelType: family.modelType,
    naming: schemes.find((scheme) => tensors?.has(names[scheme]!.embedding)) ?? schemes[0]!,
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numHiddenLayers: raw.num_hidden_layers,
    numAttentionHeads: raw.num_attention_heads,
    numKeyValueHeads,
    headDim: raw.head_dim ?? raw.hidden_size / raw.num_attention_heads,
    rmsNormEps: raw.rms_norm_eps,
    ...parseRope(raw, unsupported),
    maxPositionEmbeddings: raw.max_position_embeddings,
    tieWordEmbeddings: raw.tie_word_embeddings,
    ...family.features(raw, unsupported),
    bosTokenId: raw.bos_token_id ?? null,
    eosTokenId: raw.eos_token_id ?? null,
    padTokenId: raw.pad_token_id ?? null,
  };
}

function checkHeads(hiddenSize: number, heads: number, keyValueHeads: number, headDim: number | null): void {
  if (heads % keyValueHeads !== 0) {
    const message = `config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${keyValueHeads}.`;
    throw new AppError('CHECKPOINT_INVALID', message);
  }
  if (headDim === null && hiddenSize % heads !== 0) {
    const message = `config.json: hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${heads}.`;
    throw new AppError('CHECKPOINT_INVALID', message);
  }
  const dim = headDim ?? hiddenSize / heads;
  if (dim % 2 !== 0) throw new AppError('CHECKPOINT_INVALID', `config.json: RoPE needs an even head_dim, not ${dim}.`);
}

/** The `config.json` of a checkpoint, with the fields of both layouts so that old and new transformers read it. */
export function toHuggingFaceConfig(config: ModelConfig): Record<string, unknown> {
  const { architecture, modelType, configKey, ownFields } = familyOf(config);
  const decoder = {
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    ...ownFields(config),
    hidden_act: 'silu',
    attention_dropout: 0,
    rms_norm_eps: config.rmsNormEps,
    ...writeRope(config),
    max_position_embeddings: config.maxPositionEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    pad_token_id: config.padTokenId,
    use_cache: true,
  };
  return {
    architectures: [architecture],
    model_type: modelType,
    ...(configKey === null ? decoder : { [configKey]: decoder }),
    torch_dtype: 'float32',
    dtype: 'float32',
  };
}

/** The model of a study: a small Llama with tied embeddings and no biases. */
export function modelConfigFromSettings(
  settings: ModelSettings,
  task: { vocabulary: readonly string[]; bosId: number; eosId: number; padId: number },
): ModelConfig {
  checkHeads(settings.hiddenSize, settings.numAttentionHeads, settings.numKeyValueHeads, null);
  return {
    modelType: 'llama',
    naming: 'hub',
    vocabSize: task.vocabulary.length,
    hiddenSize: settings.hiddenSize,
    intermediateSize: settings.intermediateSize,
    numHiddenLayers: settings.numHiddenLayers,
    numAttentionHeads: settings.numAttentionHeads,
    numKeyValueHeads: settings.numKeyValueHeads,
    headDim: settings.hiddenSize / settings.numAttentionHeads,
    rmsNormEps: settings.rmsNormEps,
    ropeTheta: settings.ropeTheta,
    ropeScaling: null,
    maxPositionEmbeddings: 2048,
    tieWordEmbeddings: true,
    ...plainFeatures,
    bosTokenId: task.bosId,
    eosTokenId: task.eosId,
    padTokenId: task.padId,
  };
}
