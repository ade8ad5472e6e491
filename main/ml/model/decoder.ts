/**
 * A Llama/Qwen2 decoder in tfjs ops: RMSNorm, rotary attention with grouped key-value heads, SwiGLU, optional biases.
 * Written for few and large ops, because a compiled step pays for each: everything is a 2-D product of [rows, in] with
 * [out, in]; q, k, v and gate, up are one product each; norm gains are folded into the matrices that follow; grouped
 * queries are stacked along the token axis instead of repeating keys and values.
 */
import type { Tensor, Tf } from '../../compute/session.ts';
import { gatherRows } from '../../compute/gatherRows.ts';
import { type RotaryTables, normalizeRows, rotate, swiGlu } from './layerMath.ts';
import type { ModelConfig } from './modelConfig.ts';

/** The weight of a Hugging Face name, in [out, in] layout. */
export type WeightLookup = (name: string) => Tensor;

/** Attention keys of masked positions get this added: far below any logit, and finite, so a fully masked row stays finite. */
const MASKED = -1e9;

interface LayerWeights {
  /** [(heads + 2 kvHeads) * headDim, hidden], input norm folded in */
  qkv: Tensor;
  qkvBias: Tensor | null;
  /** [hidden, heads * headDim] */
  o: Tensor;
  oBias: Tensor | null;
  /** [2 * intermediate, hidden], post-attention norm folded in */
  gateUp: Tensor;
  gateUpBias: Tensor | null;
  /** [hidden, intermediate] */
  down: Tensor;
  downBias: Tensor | null;
}

/** The weights of one step, fused once however often the step uses them. */
export interface DecoderWeights {
  embedding: Tensor;
  layers: LayerWeights[];
  /** [hidden] */
  norm: Tensor;
  /** [vocab, hidden], final norm folded in */
  output: Tensor;
}

export function fuseWeights(tf: Tf, config: ModelConfig, weight: WeightLookup): DecoderWeights {
  const layers = Array.from({ length: config.numHiddenLayers }, (_, layer): LayerWeights => {
    const of = (name: string): Tensor => weight(`model.layers.${layer}.${name}`);
    const stack = (names: string[], suffix: string, axis: number): Tensor => {
      return tf.concat(names.map((name) => of(`${name}.${suffix}`)), axis); // prettier-ignore
    };
    const attention = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
    const mlp = ['mlp.gate_proj', 'mlp.up_proj'];
    return {
      qkv: tf.mul(stack(attention, 'weight', 0), of('input_layernorm.weight')),
      qkvBias: config.qkvBias ? stack(attention, 'bias', 0) : null,
      o: of('self_attn.o_proj.weight'),
      oBias: config.outputBias ? of('self_attn.o_proj.bias') : null,
      gateUp: tf.mul(stack(mlp, 'weight', 0), of('post_attention_layernorm.weight')),
      gateUpBias: config.mlpBias ? stack(mlp, 'bias', 0) : null,
      down: of('mlp.down_proj.weight'),
      downBias: config.mlpBias ? of('mlp.down_proj.bias') : null,
    };
  });
  const embedding = weight('model.embed_tokens.weight');
  const norm = weight('model.norm.weight');
  const head = config.tieWordEmbeddings ? embedding : weight('lm_head.weight');
  return { embedding, layers, norm, output: tf.mul(head, norm) };
}

/** x [rows, in] times weight [out, in] transposed, plus bias [out]. */
function linear(tf: Tf, x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const product = tf.matMul(x as never, weight as never, false, true) as Tensor;
  return bias === null ? product : tf.add(product, bias);
}

/**
 * Angles of all positions in float32, as the reference implementations compute them. Queries get the attention scale
 * headDim^-0.5 on top, so that no op has to multiply the scores.
 * @returns cos and signed sin, row-major [positions, (heads + kvHeads) * headDim]
 */
function rotaryRows(config: ModelConfig, start: number, positions: number): { cos: Float32Array; sin: Float32Array } {
  const { headDim, numAttentionHeads: heads, numKeyValueHeads: kvHeads } = config;
  const half = headDim / 2;
  const width = (heads + kvHeads) * headDim;
  const cos = new Float32Array(positions * width);
  const sin = new Float32Array(positions * width);
  const scale = headDim ** -0.5;
  for (let row = 0; row < positions; row++) {
    for (let i = 0; i < half; i++) {
      const inverseFrequency = Math.fround(1 / Math.fround(config.ropeTheta ** ((2 * i) / headDim)));
      const angle = Math.fround((start + row) * inverseFrequency);
      for (let head = 0; head < heads + kvHeads; head++) {
        const at = row * width + head * headDim + i;
        const factor = head < heads ? scale : 1;
        cos[at] = cos[at + half] = Math.cos(angle) * factor;
        sin[at] = -Math.sin(angle) * factor;
        sin[at + half] = Math.sin(angle) * factor;
      }
    }
  }
  return { cos, sin };
}

/** Rows `start .. start + tokens - 1` for batches without padding: one row, broadcast over the batch. */
export function rotaryTables(tf: Tf, config: ModelConfig, start: number, tokens: number): RotaryTables {
  const { cos, sin } = rotaryRows(config, start, tokens);
  return { cos: tf.tensor(cos, [1, cos.length]), sin: tf.tensor(sin, [1, sin.length]) };
}

/**
 * Rows by position for padded batches.
 * @param positionIds int32 [batch, tokens], each below `limit`
 */
export function rotaryTablesAt(tf: Tf, config: ModelConfig, positionIds: Tensor, limit: number): RotaryTables {
  const { cos, sin } = rotaryRows(config, 0, limit);
  const batch = positionIds.shape[0]!;
  const pick = (table: Float32Array): Tensor => {
    return tf
      .gather(tf.tensor(table, [limit, table.length / limit]), positionIds.flatten().toInt())
      .reshape([batch, -1]);
  };
  return { cos: pick(cos), sin: pick(sin) };
}

/**
 * Additive causal mask for `tokens` queries that end a sequence of `keys`, stacked for grouped queries.
 * @returns float32 [groups * tokens, keys]: 0 where a query may look, MASKED elsewhere
 */
export function causalMask(tf: Tf, config: ModelConfig, tokens: number, keys: number): Tensor {
  const groups = config.numAttentionHeads / config.numKeyValueHeads;
  const mask = new Float32Array(groups * tokens * keys);
  for (let row = 0; row < groups * tokens; row++) {
    const last = keys - tokens + (row % tokens);
    for (let key = last + 1; key < keys; key++) mask[row * keys + key] = MASKED;
  }
  return tf.tensor(mask, [groups * tokens, keys]);
}

/** Additive mask of padded keys: [batch, keys] of ones (token) and zeros (padding) -> [batch, 1, 1, keys]. */
export function paddingMask(tf: Tf, attentionMask: Tensor): Tensor {
  const [batch, keys] = attentionMask.shape as [number, number];
  return tf.mul(tf.sub(1, attentionMask.toFloat()), MASKED).reshape([batch, 1, 1, keys]);
}

/** Keys and values of the positions so far, each [batch, kvHeads, keys, headDim]. */
export interface KeyValues {
  k: Tensor;
  v: Tensor;
}

/** What one call of a layer needs beside the weights and x. */
export interface LayerContext {
  batch: number;
  tokens: number;
  rotary: RotaryTables;
  /** Additive, broadcastable to [batch, kvHeads, groups * tokens, keys]; null when every query sees every key. */
  mask: Tensor | null;
}

/**
 * Attention with grouped queries: the `groups` query heads that share a key-value head stand one below the other along
 * the token axis, so keys and values are never repeated.
 * @param x normalised rows [batch * tokens, hidden]
 * @param past keys and values of earlier positions, or null
 * @returns [batch * tokens, heads * headDim], and the keys and values including these tokens
 */
function attention(
  tf: Tf,
  config: ModelConfig,
  layer: LayerWeights,
  x: Tensor,
  context: LayerContext,
  past: KeyValues | null,
) {
  const { headDim, numAttentionHeads: heads, numKeyValueHeads: kvHeads } = config;
  const { batch, tokens, rotary } = context;
  const rows = batch * tokens;
  const groups = heads / kvHeads;
  const qkv = linear(tf, x, layer.qkv, layer.qkvBias);
  const [qk, vRows] = tf.split(qkv, [(heads + kvHeads) * headDim, kvHeads * headDim], 1) as [Tensor, Tensor];
  const rotated = rotate(tf, qk.reshape([batch, -1]), rotary, headDim).reshape([
    batch,
    tokens,
    heads + kvHeads,
    headDim,
  ]);
  const byHead = (y: Tensor): Tensor =>
    tokens === 1 ? y.reshape([batch, -1, 1, headDim]) : tf.transpose(y, [0, 2, 1, 3]);
  const [q, newK] = tf.split(byHead(rotated), [heads, kvHeads], 1) as [Tensor, Tensor];
  const newV = byHead(vRows.reshape([batch, tokens, kvHeads, headDim]));
  const k = past === null ? newK : tf.concat([past.k, newK], 2);
  const v = past === null ? newV : tf.concat([past.v, newV], 2);

  const scores = tf.matMul(q.reshape([batch, kvHeads, groups * tokens, headDim]), k, false, true);
  const shares = tf.softmax(context.mask === null ? scores : tf.add(scores, context.mask));
  const mixed = tf.matMul(shares, v).reshape([batch, heads, tokens, headDim]);
  const joined = tokens === 1 ? mixed : tf.transpose(mixed, [0, 2, 1, 3]);
  return { output: joined.reshape([rows, heads * headDim]), keyValues: { k, v } };
}

/**
 * One pre-norm decoder layer.
 * @param x residual stream [batch * tokens, hidden]
 */
export function decoderLayer(
  tf: Tf,
  config: ModelConfig,
  layer: LayerWeights,
  x: Tensor,
  context: LayerContext,
  past: KeyValues | null = null,
): { x: Tensor; keyValues: KeyValues } {
  const { output, keyValues } = attention(tf, config, layer, normalizeRows(tf, x, config.rmsNormEps), context, past);
  const middle = tf.add(x, linear(tf, output, layer.o, layer.oBias));
  const gateUp = linear(tf, normalizeRows(tf, middle, config.rmsNormEps), layer.gateUp, layer.gateUpBias);
  return { x: tf.add(middle, linear(tf, swiGlu(tf, gateUp), layer.down, layer.downBias)), keyValues };
}

/** All layers, one after the other; `past` holds one entry a layer, or is absent. */
export function runLayers(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  x: Tensor,
  context: LayerContext,
  past?: KeyValues[],
  onLayer?: (index: number, x: Tensor) => void,
): { x: Tensor; keyValues: KeyValues[] } {
  const keyValues: KeyValues[] = [];
  weights.layers.forEach((layer, index) => {
    const result = decoderLayer(tf, config, layer, x, context, past?.[index] ?? null);
    x = result.x;
    keyValues.push(result.keyValues);
    onLayer?.(index + 1, x);
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
  /** Called with the residual stream [batch * tokens, hidden] after the embedding (0) and after each layer (1, 2, ...). */
  onLayer?: (index: number, x: Tensor) => void;
}

/**
 * The decoder without its head.
 * @returns `normalized`: final hidden states without the final norm's gain, [batch * (tokens - from), hidden], read by
 *   `outputLogits` and `finalHidden`; `keyValues` of every layer for decoding on
 */
export function decode(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  input: DecoderInput,
): { normalized: Tensor; keyValues: KeyValues[] } {
  const [batch, tokens] = input.ids.shape as [number, number];
  const { padding, from = 0 } = input;
  const causal = causalMask(tf, config, tokens, tokens);
  const context: LayerContext = {
    batch,
    tokens,
    rotary:
      padding === undefined
        ? rotaryTables(tf, config, 0, tokens)
        : rotaryTablesAt(tf, config, padding.positionIds, tokens),
    mask: padding === undefined ? causal : tf.add(paddingMask(tf, padding.attentionMask), causal),
  };
  const embedded = gatherRows(tf, weights.embedding, input.ids).reshape([batch * tokens, config.hiddenSize]);
  input.onLayer?.(0, embedded);
  const { x, keyValues } = runLayers(tf, config, weights, embedded, context, undefined, input.onLayer);
  const wanted = from === 0 ? x : lastPositions(tf, x, batch, tokens, from);
  return { normalized: normalizeRows(tf, wanted, config.rmsNormEps), keyValues };
}

/** Positions from `from` on: [batch * tokens, width] -> [batch * (tokens - from), width]. */
function lastPositions(tf: Tf, x: Tensor, batch: number, tokens: number, from: number): Tensor {
  const width = x.shape[1]!;
  const tail = tf.slice(x.reshape([batch, tokens, width]), [0, from, 0], [batch, tokens - from, width]);
  return tail.reshape([batch * (tokens - from), width]);
}

/** @returns logits [rows, vocab] of `decode`'s `normalized` */
export function outputLogits(tf: Tf, weights: DecoderWeights, normalized: Tensor): Tensor {
  return tf.matMul(normalized as never, weights.output as never, false, true);
}

/** @returns the final hidden states, gain included, [rows, hidden] */
export function finalHidden(tf: Tf, weights: DecoderWeights, normalized: Tensor): Tensor {
  return tf.mul(normalized, weights.norm);
}

/**
 * The whole model.
 * @returns logits float32 [batch, tokens - from, vocab]
 */
export function logits(tf: Tf, config: ModelConfig, weight: WeightLookup, input: DecoderInput): Tensor {
  const weights = fuseWeights(tf, config, weight);
  const [batch, tokens] = input.ids.shape as [number, number];
  const flat = outputLogits(tf, weights, decode(tf, config, weights, input).normalized);
  return flat.reshape([batch, tokens - (input.from ?? 0), config.vocabSize]);
}
