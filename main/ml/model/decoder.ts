/**
 * A Llama-like decoder in tfjs ops: RMSNorm, rotary attention with grouped key-value heads, SwiGLU, and what the families
 * differ in (biases, norms of queries and keys, layers that text passes by).
 * Written for few passes over the activations, because they and not the products take the time of small models:
 * - activations are rows [tokens * batch, width], token-major: positions are rotated by one batched product, and the
 *   answer positions are the last rows;
 * - in small models norm gains are folded into the matrices that read the normalised rows instead of multiplying the rows;
 * - grouped queries are stacked along the token axis instead of repeating keys and values;
 * - in the last layer only the wanted positions are computed beyond their keys and values.
 */
import type { Tensor, Tf } from '../../compute/session.ts';
import { gatherRows } from '../../compute/gatherRows.ts';
import { attend, causalMask, paddingMask, rotaryMatrices, rotate } from './attention.ts';
import { normalizeRows, swiGlu } from './layerMath.ts';
import type { ModelConfig } from './modelConfig.ts';
import { type LinearInfo, decoderInfo } from './weights.ts';

/** The weight of a Hugging Face name, in [out, in] layout. */
export type WeightLookup = (name: string) => Tensor;

export interface Linear {
  /** [out, in] */
  weight: Tensor;
  /** [out] */
  bias: Tensor | null;
}

type LayerWeights = Record<'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down', Linear> & {
  /** Gains of the norms before q, k, v and before gate, up [hidden]; null: folded into those matrices. */
  inputGain: Tensor | null;
  middleGain: Tensor | null;
  /** Gains of the norms of queries and keys, [headDim]; null: there are none. */
  qGain: Tensor | null;
  kGain: Tensor | null;
};

/** The weights of one step, prepared once however often the step uses them. */
export interface DecoderWeights {
  embedding: Tensor;
  layers: LayerWeights[];
  /** [hidden] */
  norm: Tensor;
  /** [vocab, hidden], final norm folded in where `normFolded` */
  output: Tensor;
  normFolded: boolean;
}

/**
 * Up to this width folding the gains is cheaper than multiplying the rows by them; above it the scaled copies of all
 * matrices cost more memory than the rows.
 */
const maxFoldedWidth = 256;

/** @param options.foldGains decided by the width unless given */
export function prepareWeights(
  tf: Tf,
  config: ModelConfig,
  weight: WeightLookup,
  options: { foldGains?: boolean } = {},
): DecoderWeights {
  const fold = options.foldGains ?? config.hiddenSize <= maxFoldedWidth;
  const info = decoderInfo(config);
  const layers = info.layers.map(({ linear, qNorm, kNorm, inputNorm, postAttentionNorm }): LayerWeights => {
    const inputGain = weight(inputNorm.name);
    const middleGain = weight(postAttentionNorm.name);
    const plain = ({ weight: matrix, bias }: LinearInfo): Linear => {
      return { weight: weight(matrix.name), bias: bias === null ? null : weight(bias.name) };
    };
    const folded = (maps: LinearInfo[], gain: Tensor): Linear[] => {
      const linears = maps.map(plain);
      if (!fold) return linears;
      const matrices = foldGain(tf, linears.map((one) => one.weight), gain); // prettier-ignore
      return linears.map(({ bias }, index) => ({ weight: matrices[index]!, bias }));
    };
    const [q, k, v] = folded([linear.q, linear.k, linear.v], inputGain) as [Linear, Linear, Linear];
    const [gate, up] = folded([linear.gate, linear.up], middleGain) as [Linear, Linear];
    return {
      ...{ q, k, v, o: plain(linear.o), gate, up, down: plain(linear.down) },
      inputGain: fold ? null : inputGain,
      middleGain: fold ? null : middleGain,
      qGain: qNorm === null ? null : weight(qNorm.name),
      kGain: kNorm === null ? null : weight(kNorm.name),
    };
  });
  const embedding = weight(info.embedding.name);
  const norm = weight(info.norm.name);
  const head = info.lmHead === null ? textRows(tf, embedding, config) : weight(info.lmHead.name);
  return { embedding, layers, norm, output: fold ? tf.mul(head, norm) : head, normFolded: fold };
}

/** The embedding as a head: its rows beyond the vocabulary stand for no token. */
function textRows(tf: Tf, embedding: Tensor, { vocabSize, hiddenSize, extraEmbeddingRows }: ModelConfig): Tensor {
  return extraEmbeddingRows === 0 ? embedding : tf.slice(embedding, [0, 0], [vocabSize, hiddenSize]);
}

/** Every matrix [out, hidden] times the gain [hidden] of the norm before it. */
function foldGain(tf: Tf, matrices: Tensor[], gain: Tensor): Tensor[] {
  const sizes = matrices.map(({ shape }) => shape[0]);
  return tf.split(tf.mul(tf.concat(matrices, 0), gain), sizes, 0);
}

/** x [rows, in] -> [rows, out] */
export function applyLinear(tf: Tf, { weight, bias }: Linear, x: Tensor): Tensor {
  const product: Tensor = tf.matMul(x, weight, false, true);
  return bias === null ? product : tf.add(product, bias);
}

/** RMSNorm of rows [rows, width]; a gain of null is applied elsewhere. */
function normalize(tf: Tf, x: Tensor, gain: Tensor | null, eps: number): Tensor {
  const rows = normalizeRows(tf, x, eps);
  return gain === null ? rows : tf.mul(rows, gain);
}

/** Keys and values of some positions, each [batch, kvHeads, keys, headDim]. */
export interface KeyValues {
  k: Tensor;
  v: Tensor;
}

/**
 * How the queries of a layer (0, 1, ... of those computed) meet the keys: given those of the tokens in x, it adds
 * earlier ones and keeps what it wants to keep.
 * @param q [batch, kvHeads, groups * queries, headDim], scaled: the query heads that share a key-value head stand one
 *   below the other
 * @param fresh keys and values of the tokens in x
 * @returns [batch, kvHeads, groups * queries, headDim]
 */
export type LayerAttention = (q: Tensor, fresh: KeyValues, layer: number) => Tensor;

/** The last tokens, where only they are wanted. */
interface Tail {
  queries: number;
  rotary: Tensor;
}

/** What all layers share. */
export interface LayersContext {
  batch: number;
  /** Rotations of the tokens in x. */
  rotary: Tensor;
  attention: LayerAttention;
  /** Only these tokens are computed beyond their keys and values in the last layer, with rotations of their own. */
  tail?: Tail | null;
  /** Called with the residual stream after each layer (1, 2, ...). */
  onLayer?: ((index: number, x: Tensor) => void) | undefined;
}

/**
 * One pre-norm decoder layer.
 * @param x residual stream [tokens * batch, hidden]
 * @returns the residual stream of the wanted tokens
 */
function decoderLayer(
  tf: Tf,
  config: ModelConfig,
  layer: LayerWeights,
  index: number,
  x: Tensor,
  { batch, rotary, attention }: LayersContext,
  tail: Tail | null,
): Tensor {
  const { headDim, numAttentionHeads: heads, numKeyValueHeads: kvHeads, rmsNormEps, hiddenSize } = config;
  const wanted = (rows: Tensor): Tensor => {
    if (tail === null) return rows;
    return tf.slice(rows, [rows.shape[0] - tail.queries * batch, 0], [tail.queries * batch, hiddenSize]);
  };
  // [tokens, batch, heads, headDim] -> [batch, heads, tokens, headDim]
  const byHead = (y: Tensor): Tensor => {
    return y.shape[0] === 1 ? y.reshape([batch, -1, 1, headDim]) : tf.transpose(y, [1, 2, 0, 3]);
  };
  const headNorm = (y: Tensor, gain: Tensor | null): Tensor => {
    return gain === null ? y : normalize(tf, y.reshape([-1, headDim]), gain, rmsNormEps).reshape(y.shape);
  };
  const normalized = normalize(tf, x, layer.inputGain, rmsNormEps);
  const queryRows = wanted(normalized);
  const queries = queryRows.shape[0] / batch;
  const plainQ = headNorm(applyLinear(tf, layer.q, queryRows), layer.qGain);
  const plainK = headNorm(applyLinear(tf, layer.k, normalized), layer.kGain);
  const q = byHead(rotate(tf, plainQ, tail?.rotary ?? rotary, batch, headDim));
  const k = byHead(rotate(tf, plainK, rotary, batch, headDim));
  const v = byHead(applyLinear(tf, layer.v, normalized).reshape([-1, batch, kvHeads, headDim]));

  const mixed = attention(q.reshape([batch, kvHeads, (heads / kvHeads) * queries, headDim]), { k, v }, index);
  const byToken = queries === 1 ? mixed : tf.transpose(mixed.reshape([batch, heads, queries, headDim]), [2, 0, 1, 3]);
  const middle = tf.add(wanted(x), applyLinear(tf, layer.o, byToken.reshape([queries * batch, heads * headDim])));
  const mlpRows = normalize(tf, middle, layer.middleGain, rmsNormEps);
  const gated = swiGlu(tf, applyLinear(tf, layer.gate, mlpRows), applyLinear(tf, layer.up, mlpRows));
  return tf.add(middle, applyLinear(tf, layer.down, gated));
}

/** All layers, one after the other. @returns the residual stream */
export function runLayers(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  x: Tensor,
  context: LayersContext,
): Tensor {
  weights.layers.forEach((layer, index) => {
    const tail = index === weights.layers.length - 1 ? (context.tail ?? null) : null;
    x = decoderLayer(tf, config, layer, index, x, context, tail);
    context.onLayer?.(index + 1, x);
  });
  return x;
}

export interface DecoderInput {
  /** int32 [batch, tokens] */
  ids: Tensor;
  /** For left-padded batches: 1 = token, 0 = padding, float32 or int32 [batch, tokens]. */
  attentionMask?: Tensor | undefined;
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
  const { ids, attentionMask, from = 0, onLayer } = input;
  const [batch, tokens] = ids.shape as [number, number];
  const maskOf = (queries: number): Tensor | null => {
    if (queries === 1) return attentionMask === undefined ? null : paddingMask(tf, attentionMask);
    const causal = causalMask(tf, config, queries, tokens);
    return attentionMask === undefined ? causal : tf.add(paddingMask(tf, attentionMask), causal);
  };
  const tail = from === 0 ? null : { queries: tokens - from, rotary: rotaryMatrices(tf, config, from, tokens - from) };
  const last = weights.layers.length - 1;
  const mask = last === 0 && tail !== null ? null : maskOf(tokens);
  const tailMask = tail === null ? mask : maskOf(tail.queries);
  const keyValues: KeyValues[] = [];
  const attention: LayerAttention = (q, fresh, layer) => {
    keyValues.push(fresh);
    return attend(tf, q, fresh.k, fresh.v, layer === last ? tailMask : mask);
  };
  const embedded = gatherRows(tf, weights.embedding, tf.transpose(ids).flatten());
  onLayer?.(0, embedded);
  const rotary = rotaryMatrices(tf, config, 0, tokens);
  const x = runLayers(tf, config, weights, embedded, { batch, rotary, attention, tail, onLayer });
  return { normalized: normalizeRows(tf, x, config.rmsNormEps), keyValues };
}

/** @returns logits [rows, vocab] of `decode`'s `normalized` */
export function outputLogits(tf: Tf, weights: DecoderWeights, normalized: Tensor): Tensor {
  const rows = weights.normFolded ? normalized : finalHidden(tf, weights, normalized);
  return tf.matMul(rows, weights.output, false, true);
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
