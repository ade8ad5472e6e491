/**
 * One token of every row through the decoder. A step of generation does this many times on few rows, where calling a
 * product costs more than computing it: small models get their projections joined, q, k, v into one matrix and gate, up
 * into another, and one rotation for queries and keys.
 */
import { gatherRows } from '../../compute/gatherRows.ts';
import type { Tensor, Tf } from '../../compute/session.ts';
import { type KeyValuePart, attend, attendParts } from './attention.ts';
import {
  type DecoderWeights,
  type KeyValues,
  type LayerAttention,
  type Linear,
  type WeightLookup,
  applyLinear,
  finalHidden,
  prepareWeights,
  runLayers,
} from './decoder.ts';
import { normalizeRows, swiGlu } from './layerMath.ts';
import type { ModelConfig } from './modelConfig.ts';

/** A map whose matrix is stored [in, out]. */
interface JoinedLinear {
  matrix: Tensor;
  bias: Tensor | null;
}

export interface TokenWeights extends DecoderWeights {
  /** Of each layer; null where the model is wide, or norms its queries and keys. */
  joined: { qkv: JoinedLinear; gateUp: JoinedLinear }[] | null;
  /** [hidden, vocab] beside `output`; null where the model is wide. */
  head: Tensor | null;
}

export function prepareTokenWeights(tf: Tf, config: ModelConfig, weight: WeightLookup): TokenWeights {
  const weights = prepareWeights(tf, config, weight);
  if (!weights.normFolded || config.qkNorm) return { ...weights, joined: null, head: null };
  const join = (maps: Linear[]): JoinedLinear => {
    const matrix = tf.transpose(tf.concat(maps.map((one) => one.weight), 0)); // prettier-ignore
    const biases = maps.flatMap(({ bias }) => bias ?? []);
    return { matrix, bias: biases.length === 0 ? null : tf.concat(biases, 0) };
  };
  const joined = weights.layers.map(({ q, k, v, gate, up }) => ({ qkv: join([q, k, v]), gateUp: join([gate, up]) }));
  return { ...weights, joined, head: tf.transpose(weights.output) };
}

/**
 * One more token through the layers.
 * @param token int32 [batch]
 * @param rotary rotation of its position, [1, headDim, headDim]
 * @returns the final hidden state without the norm's gain, [batch, hidden]
 */
export function decodeToken(
  tf: Tf,
  config: ModelConfig,
  weights: TokenWeights,
  token: Tensor,
  rotary: Tensor,
  attention: LayerAttention,
): Tensor {
  let x = gatherRows(tf, weights.embedding, token);
  if (weights.joined === null) {
    x = runLayers(tf, config, weights, x, { batch: token.shape[0], rotary, attention });
  } else {
    for (const index of weights.layers.keys()) x = joinedLayer(tf, config, weights, index, x, rotary, attention);
  }
  return normalizeRows(tf, x, config.rmsNormEps);
}

/** The layer of `runLayers` for one token: the same numbers up to rounding, in fewer ops. */
function joinedLayer(
  tf: Tf,
  config: ModelConfig,
  weights: TokenWeights,
  index: number,
  x: Tensor,
  rotary: Tensor,
  attention: LayerAttention,
): Tensor {
  const { headDim, numAttentionHeads: heads, numKeyValueHeads: kvHeads, rmsNormEps } = config;
  const { qkv, gateUp } = weights.joined![index]!;
  const layer = weights.layers[index]!;
  const batch = x.shape[0];
  const projected = applyJoined(tf, qkv, normalizeRows(tf, x, rmsNormEps));
  const [qk, v] = tf.split(projected, [(heads + kvHeads) * headDim, kvHeads * headDim], 1) as [Tensor, Tensor];
  const rotated = tf.matMul(qk.reshape([-1, headDim]), rotary.reshape([headDim, headDim]));
  const [q, k] = tf.split(rotated.reshape([batch, heads + kvHeads, headDim]), [heads, kvHeads], 1) as [Tensor, Tensor];
  const each = [batch, kvHeads, 1, headDim];
  const fresh = { k: k.reshape(each), v: v.reshape(each) };
  const mixed = attention(q.reshape([batch, kvHeads, heads / kvHeads, headDim]), fresh, index);
  const middle = tf.add(x, applyLinear(tf, layer.o, mixed.reshape([batch, heads * headDim])));
  const gated = tf.split(applyJoined(tf, gateUp, normalizeRows(tf, middle, rmsNormEps)), 2, 1) as [Tensor, Tensor];
  return tf.add(middle, applyLinear(tf, layer.down, swiGlu(tf, ...gated)));
}

function applyJoined(tf: Tf, { matrix, bias }: JoinedLinear, x: Tensor): Tensor {
  const product: Tensor = tf.matMul(x, matrix);
  return bias === null ? product : tf.add(product, bias);
}

/** Logits [batch, vocab] of `decodeToken`'s result. */
export function tokenLogits(tf: Tf, weights: TokenWeights, normalized: Tensor): Tensor {
  if (weights.head !== null) return tf.matMul(normalized, weights.head);
  const rows = weights.normFolded ? normalized : finalHidden(tf, weights, normalized);
  return tf.matMul(rows, weights.output, false, true);
}

/**
 * Attention over one tensor of keys a layer, which grows by a slot a token: for short answers.
 * @param past keys and values of each layer so far; the token's own are appended
 * @param mask additive, [batch, 1, 1, keys], the token's own included; null: every key is seen
 */
export function growingAttention(tf: Tf, past: KeyValues[], mask: Tensor | null): LayerAttention {
  return (q, fresh, layer) => {
    const { k, v } = (past[layer] = appended(tf, past[layer], fresh));
    return attend(tf, q, k, v, mask);
  };
}

/**
 * Attention over a long cache that stays as it is and the tokens since then, which are few.
 * @param cached of each layer
 * @param generated keys and values of each layer since then; the token's own are appended
 */
export function cachedAttention(tf: Tf, cached: readonly KeyValuePart[], generated: KeyValues[]): LayerAttention {
  return (q, fresh, layer) => {
    const { k, v } = (generated[layer] = appended(tf, generated[layer], fresh));
    return attendParts(tf, q, [cached[layer]!, { k, v, mask: null }]);
  };
}

function appended(tf: Tf, before: KeyValues | undefined, fresh: KeyValues): KeyValues {
  if (before === undefined) return fresh;
  return { k: tf.concat([before.k, fresh.k], 2), v: tf.concat([before.v, fresh.v], 2) };
}
