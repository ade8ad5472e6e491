/** Cross-entropy of single tokens, with its gradient softmax - onehot written out. */
import type { Tensor, Tf } from '../../compute/session.ts';
import { type GradSaver, oneHotRows } from './layerMath.ts';

/**
 * @param logits float32 [rows, vocab]
 * @param targets int32 [rows]
 * @returns -log softmax(logits)[target], float32 [rows]
 */
export function tokenNll(tf: Tf, logits: Tensor, targets: Tensor): Tensor {
  const rows = logits.shape[0];
  const vocabSize = logits.shape[1]!;
  const apply = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, GradSaver];
    const chosen = oneHotRows(tf, targets, vocabSize);
    const shifted = tf.sub(input, tf.max(input, 1, true));
    const powers = tf.exp(shifted);
    const total = tf.sum(powers, 1, true);
    const value = tf.sub(tf.log(total).reshape([rows]), tf.sum(tf.mul(shifted, chosen), 1));
    save([powers, total, chosen]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [powers, total, chosen] = saved as [Tensor, Tensor, Tensor];
      return tf.mul(tf.sub(tf.div(powers, total), chosen), dy.reshape([rows, 1]));
    };
    return { value, gradFunc };
  });
  return apply(logits);
}
