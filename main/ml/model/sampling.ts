/**
 * One token per row from logits. Random numbers come in as uniforms and are turned into tokens by the inverse of the
 * cumulative distribution, so that a draw depends on nothing but the logits and its own number.
 */
import type { Tensor, Tf } from '../../compute/session.ts';
import { oneHotRows } from './layerMath.ts';

export type SamplingMode = 'greedy' | 'temperature' | 'topP';

export interface SamplingInputs {
  /** float32 [batch] in (0, 1]; unused by greedy */
  uniforms: Tensor;
  /** float32 scalar, above 0 */
  temperature: Tensor;
  /** float32 scalar in (0, 1]; used by topP */
  topP: Tensor;
}

/**
 * @param logits float32 [batch, vocab]
 * @returns int32 [batch]; greedy takes the first of equal logits
 */
export function sampleTokens(tf: Tf, logits: Tensor, mode: SamplingMode, inputs: SamplingInputs | null): Tensor {
  if (mode === 'greedy' || inputs === null) return tf.argMax(logits, 1);
  const probabilities = tf.softmax(tf.div(logits, inputs.temperature));
  if (mode === 'temperature') return inverseCdf(tf, probabilities, inputs.uniforms);

  // Nucleus: the most probable tokens whose predecessors together hold less than topP; the first always stays.
  const sorted = tf.topk(probabilities, probabilities.shape[1], true);
  const before = tf.cumsum(sorted.values, 1, true);
  const kept = tf.mul(sorted.values, tf.less(before, inputs.topP).toFloat());
  const rank = inverseCdf(tf, kept, inputs.uniforms);
  const chosen = oneHotRows(tf, rank, probabilities.shape[1]!);
  return tf.sum(tf.mul(sorted.indices.toFloat(), chosen), 1).toInt();
}

/**
 * @param weights float32 [batch, n], not negative, of any positive sum
 * @returns int32 [batch], the first index whose cumulative weight reaches uniform * sum, so never one of weight 0
 */
function inverseCdf(tf: Tf, weights: Tensor, uniforms: Tensor): Tensor {
  const [batch, count] = weights.shape as [number, number];
  const cumulative = tf.cumsum(weights, 1);
  const total = tf.slice(cumulative, [0, count - 1], [batch, 1]);
  const target = tf.mul(uniforms.reshape([batch, 1]), total);
  return tf.sum(tf.less(cumulative, target).toInt(), 1);
}
