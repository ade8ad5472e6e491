/**
 * Batch generation with a key-value cache, all tokens of the rollout unrolled into one step: compiled, it is one graph
 * run. Random numbers are inputs.
 */
import { gatherRows } from '../../compute/gatherRows.ts';
import type { Tensor, TensorSpec, Tf } from '../../compute/session.ts';
import { paddingMask, rotaryMatrices, rotaryMatricesAt } from './attention.ts';
import { type DecoderWeights, type KeyValues, decode, outputLogits, runLayers } from './decoder.ts';
import { normalizeRows } from './layerMath.ts';
import type { ModelConfig } from './modelConfig.ts';
import { type SamplingInputs, type SamplingMode, sampleTokens } from './sampling.ts';

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
  weights: DecoderWeights,
  inputs: Record<string, Tensor>,
  shape: RolloutShape,
): Tensor {
  const { batch, promptLength, newTokens } = shape;
  const prompts = inputs['prompts']!;
  const padding = shape.padded ? paddedPrompt(tf, inputs['attentionMask']!) : undefined;
  const first = decode(tf, config, weights, { ids: prompts, padding, from: promptLength - 1 });
  let normalized = first.normalized;
  let past: KeyValues[] = first.keyValues;
  let ended: Tensor | null = null;
  const tokens: Tensor[] = [];
  for (let i = 0; i < newTokens; i++) {
    const sampled = sampleTokens(tf, outputLogits(tf, weights, normalized), shape.mode, drawn(tf, inputs, shape, i));
    const token: Tensor = ended === null ? sampled : tf.where(ended, tf.fill([batch], shape.padId, 'int32'), sampled);
    tokens.push(token);
    if (i === newTokens - 1) break;
    for (const stopId of shape.stopIds) {
      const stops = tf.equal(token, tf.scalar(stopId, 'int32'));
      ended = ended === null ? stops : tf.logicalOr(ended, stops);
    }
    const next = decodeToken(tf, config, weights, token, promptLength + i, past, padding);
    past = next.keyValues;
    normalized = normalizeRows(tf, next.x, config.rmsNormEps);
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

interface PaddedPrompt {
  attentionMask: Tensor;
  /** Position of every prompt token: the tokens before it that are no padding; 0 at padding. */
  positionIds: Tensor;
}

function paddedPrompt(tf: Tf, attentionMask: Tensor): PaddedPrompt {
  // Times the mask, not maximum(.., 0): the wasm kernel of maximum reads integers as floats.
  const counted = tf.sub(tf.cumsum(attentionMask, 1), tf.scalar(1, 'int32'));
  return { attentionMask, positionIds: tf.mul(counted, attentionMask) };
}

/** One more token through the layers: its key and value join the cache. */
function decodeToken(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  token: Tensor,
  position: number,
  past: KeyValues[],
  padding: PaddedPrompt | undefined,
) {
  const batch = token.shape[0];
  const x = gatherRows(tf, weights.embedding, token);
  if (padding === undefined) {
    const context = { batch, rotary: rotaryMatrices(tf, config, position, 1), mask: null };
    return runLayers(tf, config, weights, x, context, { past });
  }
  const promptLength = padding.positionIds.shape[1]!;
  const lastPrompt = tf.slice(padding.positionIds, [0, promptLength - 1], [batch, 1]);
  const positionIds = tf.add(lastPrompt, tf.scalar(position - promptLength + 1, 'int32'));
  const generated = tf.ones([batch, position + 1 - promptLength]);
  const mask = paddingMask(tf, tf.concat([padding.attentionMask.toFloat(), generated], 1));
  const rotary = rotaryMatricesAt(tf, config, tf.transpose(positionIds), position + 1);
  return runLayers(tf, config, weights, x, { batch, rotary, mask }, { past });
}
