/**
 * A Llama/Qwen2 decoder in tfjs ops: RMSNorm, rotary attention with grouped key-value heads, SwiGLU, optional biases.
 * Written for few passes over the activations, because they and not the products take the time of small models:
 * - activations are rows [tokens * batch, width], token-major: positions are rotated by one batched product, and the
 *   answer positions are the last rows;
 * - norm gains are folded into the matrices that read the normalised rows (small) instead of multiplying the rows;
 * - grouped queries are stacked along the token axis instead of repeating keys and values;
 * - in the last layer only the wanted positions are computed beyond their keys and values.
 */
import type { Tensor, Tf } from '../../compute/session.ts';
import { gatherRows } from '../../compute/gatherRows.ts';
import { attend, causalMask, paddingMask, rotaryMatrices, rotaryMatricesAt, rotate } from './attention.ts';
import { normalizeRows, swiGlu } from './layerMath.ts';
import type { ModelConfig } from './modelConfig.ts';

/** The weight of a Hugging Face name, in [out, in] layout. */
export type WeightLookup = (name: string) => Tensor;

interface Linear {
  /** [out, in] */
  weight: Tensor;
  /** [out] */
  bias: Tensor | null;
}

/** Norm gains folded into q, k, v and gate, up. */
type LayerWeights = Record<'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down', Linear>;

/** The weights of one step, prepared once however often the step uses them. */
export interface DecoderWeights {
  embedding: Tensor;
  layers: LayerWeights[];
  /** [hidden] */
  norm: Tensor;
  /** [vocab, hidden], final norm folded in */
  output: Tensor;
}

export function prepareWeights(tf: Tf, config: ModelConfig, weight: WeightLookup): DecoderWeights {
  const layers = Array.from({ length: config.numHiddenLayers }, (_, layer): LayerWeights => {
    const of = (name: string): Tensor => weight(`model.layers.${layer}.${name}`);
    const linear = (name: string, bias: boolean, folded = of(`${name}.weight`)): Linear => {
      return { weight: folded, bias: bias ? of(`${name}.bias`) : null };
    };
    const [q, k, v] = foldGain(tf, ['q', 'k', 'v'].map((one) => of(`self_attn.${one}_proj.weight`)), of('input_layernorm.weight')); // prettier-ignore
    const [gate, up] = foldGain(tf, ['gate', 'up'].map((one) => of(`mlp.${one}_proj.weight`)), of('post_attention_layernorm.weight')); // prettier-ignore
    return {
      q: linear('self_attn.q_proj', config.qkvBias, q),
      k: linear('self_attn.k_proj', config.qkvBias, k),
      v: linear('self_attn.v_proj', config.qkvBias, v),
      o: linear('self_attn.o_proj', config.outputBias),
      gate: linear('mlp.gate_proj', config.mlpBias, gate),
      up: linear('mlp.up_proj', config.mlpBias, up),
      down: linear('mlp.down_proj', config.mlpBias),
    };
  });
  const embedding = weight('model.embed_tokens.weight');
  const norm = weight('model.norm.weight');
  const head = config.tieWordEmbeddings ? embedding : weight('lm_head.weight');
  return { embedding, layers, norm, output: tf.mul(head, norm) };
}

/** Every matrix [out, hidden] times the gain [hidden] of the norm before it. */
function foldGain(tf: Tf, matrices: Tensor[], gain: Tensor): Tensor[] {
  const sizes = matrices.map(({ shape }) => shape[0]);
  return tf.split(tf.mul(tf.concat(matrices, 0), gain), sizes, 0);
}

/** x [rows, in] -> [rows, out] */
function apply(tf: Tf, { weight, bias }: Linear, x: Tensor): Tensor {
  const product: Tensor = tf.matMul(x, weight, false, true);
  return bias === null ? product : tf.add(product, bias);
}

/** Keys and values of the positions so far, each [batch, kvHeads, keys, headDim]. */
export interface KeyValues {
  k: Tensor;
  v: Tensor;
}

/** What a layer needs beside its weights and x. */
export interface LayerContext {
  batch: number;
  /** Rotations of the tokens in x. */
  rotary: Tensor;
  /** Additive mask for all tokens in x as queries; null when every query sees every key. */
  mask: Tensor | null;
}

/**
 * One pre-norm decoder layer.
 * @param x residual stream [tokens * batch, hidden]
 * @param past keys and values of earlier positions, or null
 * @param tail given: only the last `tail.queries` tokens are wanted, with their own rotations and mask
 * @returns the residual stream of the wanted tokens, and keys and values of all positions so far
 */
function decoderLayer(
  tf: Tf,
  config: ModelConfig,
  layer: LayerWeights,
  x: Tensor,
  context: LayerContext,
  past: KeyValues | null,
  tail: Tail | null,
): { x: Tensor; keyValues: KeyValues } {
  const { headDim, numAttentionHeads: heads, numKeyValueHeads: kvHeads, rmsNormEps, hiddenSize } = config;
  const { batch } = context;
  const wanted = (rows: Tensor): Tensor => {
    if (tail === null) return rows;
    return tf.slice(rows, [rows.shape[0] - tail.queries * batch, 0], [tail.queries * batch, hiddenSize]);
  };
  // [tokens, batch, heads, headDim] -> [batch, heads, tokens, headDim]
  const byHead = (y: Tensor): Tensor => {
    return y.shape[0] === 1 ? y.reshape([batch, -1, 1, headDim]) : tf.transpose(y, [1, 2, 0, 3]);
  };
  const normalized = normalizeRows(tf, x, rmsNormEps);
  const queryRows = wanted(normalized);
  const queries = queryRows.shape[0] / batch;
  const q = byHead(rotate(tf, apply(tf, layer.q, queryRows), tail?.rotary ?? context.rotary, batch, headDim));
  const newK = byHead(rotate(tf, apply(tf, layer.k, normalized), context.rotary, batch, headDim));
  const newV = byHead(apply(tf, layer.v, normalized).reshape([-1, batch, kvHeads, headDim]));
  const k = past === null ? newK : tf.concat([past.k, newK], 2);
  const v = past === null ? newV : tf.concat([past.v, newV], 2);

  // The query heads that share a key-value head stand one below the other along the token axis.
  const grouped = q.reshape([batch, kvHeads, (heads / kvHeads) * queries, headDim]);
  const mixed = attend(tf, grouped, k, v, tail === null ? context.mask : tail.mask);
  const byToken = queries === 1 ? mixed : tf.transpose(mixed.reshape([batch, heads, queries, headDim]), [2, 0, 1, 3]);
  const middle = tf.add(wanted(x), apply(tf, layer.o, byToken.reshape([queries * batch, heads * headDim])));
  const mlpRows = normalizeRows(tf, middle, rmsNormEps);
  const gated = swiGlu(tf, apply(tf, layer.gate, mlpRows), apply(tf, layer.up, mlpRows));
  return { x: tf.add(middle, apply(tf, layer.down, gated)), keyValues: { k, v } };
}

/** The last tokens, where only they are wanted. */
interface Tail {
  queries: number;
  rotary: Tensor;
  mask: Tensor | null;
}

/**
 * All layers, one after the other.
 * @param past one entry a layer, or null
 * @param onLayer called with the residual stream after each layer (1, 2, ...)
 */
export function runLayers(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  x: Tensor,
  context: LayerContext,
  options: { past?: KeyValues[]; tail?: Tail | null; onLayer?: ((index: number, x: Tensor) => void) | undefined },
): { x: Tensor; keyValues: KeyValues[] } {
  const keyValues: KeyValues[] = [];
  weights.layers.forEach((layer, index) => {
    const tail = index === weights.layers.length - 1 ? (options.tail ?? null) : null;
    const result = decoderLayer(tf, config, layer, x, context, options.past?.[index] ?? null, tail);
    x = result.x;
    keyValues.push(result.keyValues);
    options.onLayer?.(index + 1, x);
  });
  return { x, keyValues };
}

export interface DecoderInput {
  /** int32 [batch, tokens] */
  ids: Tensor;
  /** For padded batches: ones and zeros float32 or int32 [batch, tokens], and positions int32 [batch, tokens]. */
  padding?: { attentionMask: Tensor; positionIds: Tensor } | undefined;
  /** Positions from this one on are returned (0 unless given). */
  from?: number;
  /** Called with the residual stream [tokens * batch, hidden] after the embedding (0) and after each layer (1, 2, ...). */
  onLayer?: (index: number, x: Tensor) => void;
}

/**
 * The decoder without its head.
 * @returns `normalized`: final hidden states without the final norm's gain, [(tokens - from) * batch, hidden], token-major,
 *   read by `outputLogits` and `finalHidden`; `keyValues` of every layer for decoding on
 */
export function decode(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  input: DecoderInput,
): { normalized: Tensor; keyValues: KeyValues[] } {
  const { ids, padding, from = 0, onLayer } = input;
  const [batch, tokens] = ids.shape as [number, number];
  const maskOf = (queries: number): Tensor => {
    const causal = causalMask(tf, config, queries, tokens);
    return padding === undefined ? causal : tf.add(paddingMask(tf, padding.attentionMask), causal);
  };
  const rotaryOf = (first: number): Tensor => {
    if (padding === undefined) return rotaryMatrices(tf, config, first, tokens - first);
    const positions = tf.slice(padding.positionIds, [0, first], [batch, tokens - first]);
    return rotaryMatricesAt(tf, config, tf.transpose(positions), tokens);
  };
  const context: LayerContext = { batch, rotary: rotaryOf(0), mask: maskOf(tokens) };
  const queries = tokens - from;
  const tail =
    from === 0 ? null : { queries, rotary: rotaryOf(from), mask: queries === 1 && !padding ? null : maskOf(queries) };
  const embedded = gatherRows(tf, weights.embedding, tf.transpose(ids).flatten());
  onLayer?.(0, embedded);
  const { x, keyValues } = runLayers(tf, config, weights, embedded, context, { tail, onLayer });
  return { normalized: normalizeRows(tf, x, config.rmsNormEps), keyValues };
}

/** @returns logits [rows, vocab] of `decode`'s `normalized` */
export function outputLogits(tf: Tf, weights: DecoderWeights, normalized: Tensor): Tensor {
  return tf.matMul(normalized, weights.output, false, true);
}

/** @returns the final hidden states, gain included, [rows, hidden] */
export function finalHidden(tf: Tf, weights: DecoderWeights, normalized: Tensor): Tensor {
  return tf.mul(normalized, weights.norm);
}

/** Token-major rows [tokens * batch, ...] as [batch, tokens, ...]. */
export function toBatchMajor(tf: Tf, rows: Tensor, batch: number): Tensor {
  const [count, ...rest] = rows.shape as [number, ...number[]];
  const byToken = rows.reshape([count / batch, batch, ...rest]);
  return tf.transpose(byToken, [1, 0, ...rest.map((_, axis) => axis + 2)]);
}

/** [batch, tokens, ...] as token-major rows [tokens * batch, ...]. */
export function toTokenMajor(tf: Tf, x: Tensor): Tensor {
  const [batch, tokens, ...rest] = x.shape as [number, number, ...number[]];
  return tf.transpose(x, [1, 0, ...rest.map((_, axis) => axis + 2)]).reshape([tokens * batch, ...rest]);
}

/**
 * The whole model.
 * @returns logits float32 [batch, tokens - from, vocab]
 */
export function logits(tf: Tf, config: ModelConfig, weight: WeightLookup, input: DecoderInput): Tensor {
  const weights = prepareWeights(tf, config, weight);
  const { normalized } = decode(tf, config, weights, input);
  return toBatchMajor(tf, outputLogits(tf, weights, normalized), input.ids.shape[0]);
}
