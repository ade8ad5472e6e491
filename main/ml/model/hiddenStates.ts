/**
 * Hidden states of each prompt's last token, as transformers gives them: the embedding, the output of every layer, and
 * in the last layer's place the state after the final norm. Layers that text passes by have no entry.
 */
import type { Tensor, Tf } from '../../compute/session.ts';
import { type DecoderWeights, decode, finalHidden } from './decoder.ts';
import type { ModelConfig } from './modelConfig.ts';

/** Entries of `lastTokenStates`. */
export const stateCount = ({ numHiddenLayers, skippedLayers }: ModelConfig): number => {
  return numHiddenLayers - skippedLayers.length + 1;
};

/**
 * @param ids int32 [batch, tokens], left-padded
 * @param attentionMask 1 = token, 0 = padding, [batch, tokens]; absent: no padding
 * @returns float32 [stateCount, batch, hidden]
 */
export function lastTokenStates(
  tf: Tf,
  config: ModelConfig,
  weights: DecoderWeights,
  ids: Tensor,
  attentionMask: Tensor | undefined,
): Tensor {
  const [batch, tokens] = ids.shape as [number, number];
  const states: Tensor[] = [];
  const { normalized } = decode(tf, config, weights, {
    ids,
    attentionMask,
    from: tokens - 1,
    onLayer: (_, x) => states.push(tf.slice(x, [x.shape[0] - batch, 0], [batch, config.hiddenSize])),
  });
  return tf.stack([...states.slice(0, -1), finalHidden(tf, weights, normalized)]);
}
