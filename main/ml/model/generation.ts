/**
 * Batch generation with a key-value cache, all tokens of the rollout unrolled into one step: compiled, it is one graph
 * run. Random numbers are inputs.
 */
import { gatherRows } from '../../compute/gatherRows.ts';
import type { Tensor, TensorSpec, Tf } from '../../compute/session.ts';
import { type KeyValuePart, attendParts, paddingMask, rotaryMatrices } from './attention.ts';
import {
  type DecoderWeights,
  type KeyValues,
  type LayerAttention,
  decode,
  outputLogits,
  runLayers,
} from './decoder.ts';
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
  const attentionMask = inputs['attentionMask'];
  const first = decode(tf, config, weights, { ids: inputs['prompts']!, attentionMask, from: promptLength - 1 });
  const promptMask = attentionMask === undefined ? null : paddingMask(tf, attentionMask);
  const prompt = first.keyValues.map(({ k, v }): KeyValuePart => ({ k, v, mask: promptMask }));
  const generated: KeyValues[] = [];
  let normalized = first.normalized;
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
    const rotary = rotaryMatrices(tf, config, promptLength + i, 1);
    normalized = decodeToken(tf, config, weights, token, rotary, prompt, generated);
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

/**
 * One more token through the layers.
 * @param token int32 [batch]
 * @param rotary rotation of its position, [1, headDim, headDim]
 * @param cached keys and values of each layer that stay as they are
 * @param generated those of each layer since then; the token's own are appended
 * @returns the final hidden state without the norm's gain, [batch, hidden]
 */
export function decodeToken(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  token: Tensor,
  rotary: Tensor,
  cached: readonly KeyValuePart[],
  generated: KeyValues[],
): Tensor {
  const attention: LayerAttention = (q, fresh, layer) => {
    const before = generated[layer];
    const { k, v } = before === undefined ? fresh : joined(tf, before, fresh);
    generated[layer] = { k, v };
    return attendParts(tf, q, [cached[layer]!, { k, v, mask: null }]);
  };
  const embedded = gatherRows(tf, weights.embedding, token);
  const x = runLayers(tf, config, weights, embedded, { batch: token.shape[0], rotary, attention });
  return normalizeRows(tf, x, config.rmsNormEps);
}

const joined = (tf: Tf, before: KeyValues, fresh: KeyValues): KeyValues => {
  return { k: tf.concat([before.k, fresh.k], 2), v: tf.concat([before.v, fresh.v], 2) };
};
