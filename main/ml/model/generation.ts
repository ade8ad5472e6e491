/**
 * Batch generation with a key-value cache, all tokens of the rollout unrolled into one step: compiled, it is one graph
 * run. Random numbers are inputs.
 */
import type { Tensor, TensorSpec, Tf } from '../../compute/session.ts';
import { paddingMask, rotaryMatrices } from './attention.ts';
import { decode } from './decoder.ts';
import type { ModelConfig } from './modelConfig.ts';
import { type SamplingInputs, type SamplingMode, sampleTokens } from './sampling.ts';
import { type TokenWeights, decodeToken, growingAttention, tokenLogits } from './tokenDecoder.ts';

export interface RolloutShape {
  batch: number;
  promptLength: number;
  newTokens: number;
  mode: SamplingMode;
  /** Prompts are left-padded: an attention mask [batch, promptLength] comes with them. */
  padded: boolean;
  /** Tokens that end an answer; everything after them is `padId`. */
  stopIds: number[];
  padId: number;
}

/** The inputs of a rollout step of this shape. */
export function rolloutInputs(shape: RolloutShape): Record<string, TensorSpec> {
  const specs: Record<string, TensorSpec> = {
    prompts: { shape: [shape.batch, shape.promptLength], dtype: 'int32' },
  };
  if (shape.padded) specs['attentionMask'] = { shape: [shape.batch, shape.promptLength], dtype: 'int32' };
  if (shape.mode !== 'greedy') {
    specs['uniforms'] = { shape: [shape.newTokens, shape.batch], dtype: 'float32' };
    specs['temperature'] = { shape: [], dtype: 'float32' };
  }
  if (shape.mode === 'topP') specs['topP'] = { shape: [], dtype: 'float32' };
  return specs;
}

/**
 * @param inputs as `rolloutInputs` says
 * @returns int32 [batch, newTokens]
 */
export function rollout(
  tf: Tf,
  config: ModelConfig,
  weights: TokenWeights,
  inputs: Record<string, Tensor>,
  shape: RolloutShape,
): Tensor {
  const { batch, promptLength, newTokens } = shape;
  const attentionMask = inputs['attentionMask'];
  const first = decode(tf, config, weights, { ids: inputs['prompts']!, attentionMask, from: promptLength - 1 });
  const past = [...first.keyValues];
  let normalized = first.normalized;
  let ended: Tensor | null = null;
  const tokens: Tensor[] = [];
  for (let i = 0; i < newTokens; i++) {
    const sampled = sampleTokens(tf, tokenLogits(tf, weights, normalized), shape.mode, drawn(tf, inputs, shape, i));
    const token: Tensor = ended === null ? sampled : tf.where(ended, tf.fill([batch], shape.padId, 'int32'), sampled);
    tokens.push(token);
    if (i === newTokens - 1) break;
    for (const stopId of shape.stopIds) {
      const stops = tf.equal(token, tf.scalar(stopId, 'int32'));
      ended = ended === null ? stops : tf.logicalOr(ended, stops);
    }
    const rotary = rotaryMatrices(tf, config, promptLength + i, 1);
    const mask = attentionMask === undefined ? null : maskOfAll(tf, attentionMask, i + 1);
    normalized = decodeToken(tf, config, weights, token, rotary, growingAttention(tf, past, mask));
  }
  return tf.stack(tokens, 1);
}

function drawn(tf: Tf, inputs: Record<string, Tensor>, shape: RolloutShape, step: number): SamplingInputs | null {
  if (shape.mode === 'greedy') return null;
  return {
    uniforms: tf.slice(inputs['uniforms']!, [step, 0], [1, shape.batch]).reshape([shape.batch]),
    temperature: inputs['temperature']!,
    topP: inputs['topP'] ?? tf.scalar(1),
  };
}

/** Padding of the prompts, and `generated` tokens that are none. */
function maskOfAll(tf: Tf, attentionMask: Tensor, generated: number): Tensor {
  return paddingMask(tf, tf.concat([attentionMask.toFloat(), tf.ones([attentionMask.shape[0], generated])], 1));
}
