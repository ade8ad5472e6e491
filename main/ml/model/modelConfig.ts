/**
 * The shape of a decoder, read from and written as a Hugging Face `config.json`. Both layouts are read: the one of the
 * hub (transformers 4: `rope_theta`, `rope_scaling`, `torch_dtype` at the top level) and the one transformers 5 writes
 * (`rope_parameters`, `dtype`). Names are Hugging Face's, in camelCase.
 */
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { ModelSettings } from '../../contract/settings.ts';

export interface ModelConfig {
  modelType: 'llama' | 'qwen2';
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  maxPositionEmbeddings: number;
  tieWordEmbeddings: boolean;
  /** Biases of q, k, v (always on for Qwen2). */
  qkvBias: boolean;
  /** Bias of the output projection (Llama's `attention_bias` has both). */
  outputBias: boolean;
  mlpBias: boolean;
  bosTokenId: number | null;
  eosTokenId: number | number[] | null;
  padTokenId: number | null;
}

const size = z.number().int().positive();
const tokenId = z.number().int().nullish();
const rope = z.looseObject({ rope_theta: z.number().positive().optional(), rope_type: z.string().optional() });

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
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.looseObject({ rope_type: z.string().optional(), type: z.string().optional() }).nullish(),
  rope_parameters: rope.nullish(),
  use_sliding_window: z.boolean().nullish(),
  bos_token_id: tokenId,
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  pad_token_id: tokenId,
});

const unsupportedHint = 'Llama and Qwen2 decoders (LlamaForCausalLM, Qwen2ForCausalLM) can be used.';

function unsupported(message: string): AppError {
  return new AppError('CHECKPOINT_UNSUPPORTED', message, { hint: unsupportedHint });
}

/**
 * @param json the parsed `config.json`
 * @throws CHECKPOINT_UNSUPPORTED another architecture, activation, RoPE scaling or sliding-window attention, by name
 * @throws CHECKPOINT_INVALID a field is missing or of the wrong type, by name
 */
export function parseModelConfig(json: unknown): ModelConfig {
  const modelType = supportedModelType(json);
  const parsed = decoderSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const message = `config.json: ${issue.path.join('.') || 'the file'}: ${issue.message}.`;
    throw new AppError('CHECKPOINT_INVALID', message, {
      hint: 'Take config.json from the same checkpoint as the weights.',
    });
  }
  const raw = parsed.data;
  if (raw.hidden_act !== 'silu')
    throw unsupported(`The activation "${raw.hidden_act}" is not supported; only silu is.`);
  if (raw.use_sliding_window === true) throw unsupported('Sliding-window attention is not supported.');
  const numKeyValueHeads = raw.num_key_value_heads ?? raw.num_attention_heads;
  checkHeads(raw.hidden_size, raw.num_attention_heads, numKeyValueHeads, raw.head_dim ?? null);
  return {
    modelType,
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numHiddenLayers: raw.num_hidden_layers,
    numAttentionHeads: raw.num_attention_heads,
    numKeyValueHeads,
    headDim: raw.head_dim ?? raw.hidden_size / raw.num_attention_heads,
    rmsNormEps: raw.rms_norm_eps,
    ropeTheta: plainRopeTheta(raw),
    maxPositionEmbeddings: raw.max_position_embeddings,
    tieWordEmbeddings: raw.tie_word_embeddings,
    qkvBias: modelType === 'qwen2' || raw.attention_bias,
    outputBias: modelType === 'llama' && raw.attention_bias,
    mlpBias: modelType === 'llama' && raw.mlp_bias,
    bosTokenId: raw.bos_token_id ?? null,
    eosTokenId: raw.eos_token_id ?? null,
    padTokenId: raw.pad_token_id ?? null,
  };
}

function supportedModelType(json: unknown): 'llama' | 'qwen2' {
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const architectures = Array.isArray(fields['architectures']) ? fields['architectures'].map(String) : [];
  const named = architectures[0];
  if (named === 'LlamaForCausalLM' || (named === undefined && fields['model_type'] === 'llama')) return 'llama';
  if (named === 'Qwen2ForCausalLM' || (named === undefined && fields['model_type'] === 'qwen2')) return 'qwen2';
  const name = named ?? (typeof fields['model_type'] === 'string' ? fields['model_type'] : undefined);
  if (name !== undefined) throw unsupported(`The architecture ${name} is not supported yet.`);
  const hint = 'config.json needs "architectures" or "model_type".';
  throw new AppError('CHECKPOINT_INVALID', 'config.json names no architecture.', { hint });
}

/** RoPE without scaling, in either layout. */
function plainRopeTheta(raw: z.infer<typeof decoderSchema>): number {
  const kind = raw.rope_parameters?.rope_type ?? raw.rope_scaling?.rope_type ?? raw.rope_scaling?.type ?? 'default';
  if (kind !== 'default') throw unsupported(`RoPE scaling of type "${kind}" is not supported yet.`);
  return raw.rope_parameters?.rope_theta ?? raw.rope_theta ?? 10000;
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
  const llamaOnly = { attention_bias: config.outputBias, mlp_bias: config.mlpBias, head_dim: config.headDim };
  return {
    architectures: [config.modelType === 'llama' ? 'LlamaForCausalLM' : 'Qwen2ForCausalLM'],
    model_type: config.modelType,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    ...(config.modelType === 'llama' ? llamaOnly : { use_sliding_window: false }),
    hidden_act: 'silu',
    attention_dropout: 0,
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    rope_scaling: null,
    rope_parameters: { rope_theta: config.ropeTheta, rope_type: 'default' },
    max_position_embeddings: config.maxPositionEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    pad_token_id: config.padTokenId,
    torch_dtype: 'float32',
    dtype: 'float32',
    use_cache: true,
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
    vocabSize: task.vocabulary.length,
    hiddenSize: settings.hiddenSize,
    intermediateSize: settings.intermediateSize,
    numHiddenLayers: settings.numHiddenLayers,
    numAttentionHeads: settings.numAttentionHeads,
    numKeyValueHeads: settings.numKeyValueHeads,
    headDim: settings.hiddenSize / settings.numAttentionHeads,
    rmsNormEps: settings.rmsNormEps,
    ropeTheta: settings.ropeTheta,
    maxPositionEmbeddings: 2048,
    tieWordEmbeddings: true,
    qkvBias: false,
    outputBias: false,
    mlpBias: false,
    bosTokenId: task.bosId,
    eosTokenId: task.eosId,
    padTokenId: task.padId,
  };
}
