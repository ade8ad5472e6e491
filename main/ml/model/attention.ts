/** Rotary positions and the attention core, with its gradient written out. */
import type { Tensor, Tf } from '../../compute/session.ts';
import type { GradSaver } from './layerMath.ts';
import type { ModelConfig } from './modelConfig.ts';
import { inverseFrequencies } from './rope.ts';

/** Attention scores of masked keys get this added: far below any score, and finite, so a fully masked row stays finite. */
const MASKED = -1e9;

/**
 * RoPE as matrices: the rotation of one head's vector at one position, x [headDim] -> x R [headDim], in the rotate-half
 * form. One small product replaces a split, a join, two products and a sum over the activations. Queries and keys are
 * scaled by headDim^-0.25 each, which is the attention's headDim^-0.5.
 *
 * Only the distance of two positions counts in a score, so the rows of a left-padded batch are rotated by their column:
 * each row is shifted by its padding, and all share one set of matrices.
 * @returns row-major [positions, headDim, headDim], angles in float32 as the reference implementations compute them
 */
export function rotations(config: ModelConfig, start: number, positions: number): Float32Array {
  const { headDim } = config;
  const half = headDim / 2;
  const scale = headDim ** -0.25;
  const frequencies = inverseFrequencies(config);
  const matrices = new Float32Array(positions * headDim * headDim);
  for (let row = 0; row < positions; row++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround((start + row) * frequencies[i]!);
      const at = (from: number, to: number): number => (row * headDim + from) * headDim + to;
      matrices[at(i, i)] = matrices[at(i + half, i + half)] = Math.cos(angle) * scale;
      matrices[at(i, i + half)] = Math.sin(angle) * scale;
      matrices[at(i + half, i)] = -Math.sin(angle) * scale;
    }
  }
  return matrices;
}

/** Rotations of the positions `start .. start + tokens - 1`: [tokens, headDim, headDim]. */
export function rotaryMatrices(tf: Tf, config: ModelConfig, start: number, tokens: number): Tensor {
  return tf.tensor(rotations(config, start, tokens), [tokens, config.headDim, config.headDim]);
}

/**
 * @param x float32 [tokens * batch, heads * headDim], token-major
 * @param matrices of `rotaryMatrices`
 * @returns rotated, [tokens, batch, heads, headDim]
 */
export function rotate(tf: Tf, x: Tensor, matrices: Tensor, batch: number, headDim: number): Tensor {
  const groups = matrices.shape[0];
  const rotated = tf.matMul(x.reshape([groups, -1, headDim]), matrices);
  return rotated.reshape([x.shape[0] / batch, batch, -1, headDim]);
}

/**
 * Additive causal mask for the last `queries` tokens of a sequence of `keys`, repeated for grouped queries.
 * @returns float32 [groups * queries, keys]: 0 where a query may look, MASKED elsewhere
 */
export function causalMask(tf: Tf, config: ModelConfig, queries: number, keys: number): Tensor {
  const groups = config.numAttentionHeads / config.numKeyValueHeads;
  const mask = new Float32Array(groups * queries * keys);
  for (let row = 0; row < groups * queries; row++) {
    const last = keys - queries + (row % queries);
    for (let key = last + 1; key < keys; key++) mask[row * keys + key] = MASKED;
  }
  return tf.tensor(mask, [groups * queries, keys]);
}

/** Additive mask of padded keys: [batch, keys] of ones (token) and zeros (padding) -> [batch, 1, 1, keys]. */
export function paddingMask(tf: Tf, attentionMask: Tensor): Tensor {
  const [batch, keys] = attentionMask.shape as [number, number];
  return tf.mul(tf.sub(1, attentionMask.toFloat()), MASKED).reshape([batch, 1, 1, keys]);
}

/**
 * softmax(q k^T + mask) v. The rows are normalised after the product with v, and the backward pass needs
 * sum(dO * O) in place of a sum over all keys, so that few passes run over [queries, keys].
 * @param q [batch, heads, queries, headDim], scaled
 * @param k [batch, heads, keys, headDim]
 * @param v [batch, heads, keys, headDim]
 * @param mask additive, broadcastable to [batch, heads, queries, keys]; null when every query sees every key
 * @returns [batch, heads, queries, headDim]
 */
export function attend(tf: Tf, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null): Tensor {
  const core = tf.customGrad((...args) => {
    const [q, k, v, save] = args as unknown as [Tensor, Tensor, Tensor, GradSaver];
    const scores = tf.matMul(q, k, false, true);
    const masked = mask === null ? scores : tf.add(scores, mask);
    const powers = tf.exp(tf.sub(masked, tf.max(masked, -1, true)));
    const totals = tf.sum(powers, -1, true);
    const value = tf.div(tf.matMul(powers, v), totals);
    save([q, k, v, powers, totals, value]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [q, k, v, powers, totals, value] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
      const dyByTotal = tf.div(dy, totals);
      const along = tf.sum(tf.mul(dyByTotal, value), -1, true);
      const dScores = tf.mul(powers, tf.sub(tf.matMul(dyByTotal, v, false, true), along));
      return [tf.matMul(dScores, k), tf.matMul(dScores, q, true, false), tf.matMul(powers, dyByTotal, true, false)];
    };
    return { value, gradFunc };
  });
  return core(q, k, v);
}

/** Keys and values of some positions, each [batch, heads, keys, headDim], and what is added to their scores. */
export interface KeyValuePart {
  k: Tensor;
  v: Tensor;
  /** As for `attend`. */
  mask: Tensor | null;
}

/**
 * `attend` over keys that lie in several tensors, so that a long cache need not be joined with the newest keys to be
 * read. Without a gradient.
 * @param q [batch, heads, queries, headDim], scaled
 * @returns [batch, heads, queries, headDim]
 */
export function attendParts(tf: Tf, q: Tensor, parts: readonly KeyValuePart[]): Tensor {
  const scores = parts.map(({ k, mask }) => {
    const product: Tensor = tf.matMul(q, k, false, true);
    return mask === null ? product : tf.add(product, mask);
  });
  const joined = tf.concat(scores, 3);
  const powers = tf.exp(tf.sub(joined, tf.max(joined, -1, true)));
  const sizes = scores.map(({ shape }) => shape[3]!);
  const values = tf.split(powers, sizes, 3).map((part, index): Tensor => tf.matMul(part, parts[index]!.v));
  return tf.div(tf.addN(values), tf.sum(powers, -1, true));
}
