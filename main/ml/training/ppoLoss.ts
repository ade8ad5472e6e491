/**
 * The terms of the PPO objective (Schulman et al., 2017) as tfjs ops. All inputs are flat over the answer tokens of a
 * minibatch; every mean is over the masked tokens of the whole minibatch.
 */
import type { Tensor, Tf } from '../../compute/session.ts';
import { type GradSaver, oneHotRows } from '../model/layerMath.ts';

/** sum(values * mask) / sum(mask), 0 when nothing is valid. */
export function maskedMean(tf: Tf, values: Tensor, mask: Tensor): Tensor {
  return tf.div(tf.sum(tf.mul(values, mask)), tf.maximum(tf.sum(mask), 1));
}

/**
 * Log-softmax over the vocabulary, with its gradient written out.
 * @param logits float32 [tokens, vocab]
 */
export function logSoftmaxRows(tf: Tf, logits: Tensor): Tensor {
  const apply = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, GradSaver];
    const shifted = tf.sub(input, tf.max(input, 1, true));
    const value = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
    save([value]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      return tf.sub(dy, tf.mul(tf.exp(saved[0]!), tf.sum(dy, 1, true)));
    };
    return { value, gradFunc };
  });
  return apply(logits);
}

/**
 * @param logProbabilities float32 [tokens, vocab]
 * @param actions int32 [tokens]
 * @returns log-probability of each action [tokens]
 */
export function actionLogprobs(tf: Tf, logProbabilities: Tensor, actions: Tensor): Tensor {
  const chosen = oneHotRows(tf, actions, logProbabilities.shape[1]!);
  return tf.sum(tf.mul(logProbabilities, chosen), 1);
}

/** Entropy of each token's distribution, nats [tokens]. */
export function tokenEntropies(tf: Tf, logProbabilities: Tensor): Tensor {
  return tf.neg(tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities), 1));
}

/**
 * Clipped surrogate: mean(-min(ratio A, clip(ratio, 1 - c, 1 + c) A)).
 * @param logratio log pi_new(a) - log pi_old(a) [tokens]
 */
export function policyLoss(tf: Tf, logratio: Tensor, advantages: Tensor, mask: Tensor, clipCoef: number): Tensor {
  const ratio = tf.exp(logratio);
  const clipped = tf.clipByValue(ratio, 1 - clipCoef, 1 + clipCoef);
  return tf.neg(maskedMean(tf, tf.minimum(tf.mul(ratio, advantages), tf.mul(clipped, advantages)), mask));
}

/**
 * Value loss without the vf coefficient. Unclipped: mean((v - R)^2), as the miniature recipe has it; clipped (CleanRL,
 * the paper's code): mean(0.5 max((v - R)^2, (v_old + clip(v - v_old, -c, c) - R)^2)).
 */
export function valueLoss(
  tf: Tf,
  values: Tensor,
  returns: Tensor,
  mask: Tensor,
  clip?: { oldValues: Tensor; clipCoef: number },
): Tensor {
  const squares = tf.square(tf.sub(values, returns));
  if (clip === undefined) return maskedMean(tf, squares, mask);
  const { oldValues, clipCoef } = clip;
  const moved = tf.add(oldValues, tf.clipByValue(tf.sub(values, oldValues), -clipCoef, clipCoef));
  return tf.mul(maskedMean(tf, tf.maximum(squares, tf.square(tf.sub(moved, returns))), mask), 0.5);
}

/** Three estimates of KL(old || new) from samples of old (k1, k2, k3), and the share of ratios outside the clip range. */
export function ratioStatistics(tf: Tf, logratio: Tensor, mask: Tensor, clipCoef: number) {
  const ratio = tf.exp(logratio);
  return {
    kl1: maskedMean(tf, tf.neg(logratio), mask),
    kl2: maskedMean(tf, tf.mul(tf.square(logratio), 0.5), mask),
    kl3: maskedMean(tf, tf.sub(tf.sub(ratio, 1), logratio), mask),
    clipFraction: maskedMean(tf, tf.greater(tf.abs(tf.sub(ratio, 1)), clipCoef).toFloat(), mask),
  };
}

/**
 * The anchor: forward KL(reference || policy) of the full distributions, summed over `anchored` tokens and divided by
 * the number of valid ones.
 * @param reference log-probabilities of the frozen reference [tokens, vocab]
 * @param policy log-probabilities of the policy [tokens, vocab]
 * @param anchored 1 where the anchor pulls: valid tokens but the first of each answer
 */
export function anchorKl(tf: Tf, reference: Tensor, policy: Tensor, anchored: Tensor, mask: Tensor): Tensor {
  const perToken = tf.sum(tf.mul(tf.exp(reference), tf.sub(reference, policy)), 1);
  return tf.div(tf.sum(tf.mul(perToken, anchored)), tf.maximum(tf.sum(mask), 1));
}
