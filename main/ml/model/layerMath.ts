/**
 * The pieces of a decoder layer with gradients written out. tfjs would derive them too, from many more elementwise ops
 * and intermediate tensors; each backward pass below is the textbook derivative of the line above it.
 */
import type { Tensor1D } from '@tensorflow/tfjs';
import type { Tensor, Tf } from '../../compute/session.ts';

/** tfjs disposes what the forward pass made unless it is saved for the backward pass. */
export type GradSaver = (tensors: Tensor[]) => void;

/**
 * By way of integers: the wasm kernel writes an integer 1 into a float32 one-hot.
 * @param ids int32 [rows]
 * @returns float32 [rows, depth]
 */
export function oneHotRows(tf: Tf, ids: Tensor, depth: number): Tensor {
  return tf.oneHot(ids as Tensor1D, depth).toFloat();
}

/**
 * RMSNorm without its gain: x / sqrt(mean(x^2) + eps). The gain is folded into the matrix that reads the result.
 * @param x float32 [rows, hidden]
 * @returns float32 [rows, hidden]
 */
export function normalizeRows(tf: Tf, x: Tensor, eps: number): Tensor {
  const hidden = x.shape[1]!;
  const normalize = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, GradSaver];
    // A sum, not tf.mean, which casts its input first
    const inverse = tf.rsqrt(tf.add(tf.mul(tf.sum(tf.square(input), 1, true), 1 / hidden), eps));
    const value = tf.mul(input, inverse);
    save([value, inverse]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [value, inverse] = saved as [Tensor, Tensor];
      const along = tf.mul(tf.sum(tf.mul(dy, value), 1, true), 1 / hidden);
      return tf.mul(tf.sub(dy, tf.mul(value, along)), inverse);
    };
    return { value, gradFunc };
  });
  return normalize(x);
}

/**
 * SwiGLU: silu(gate) * up.
 * @param gate float32 [rows, intermediate]
 * @param up float32 [rows, intermediate]
 */
export function swiGlu(tf: Tf, gate: Tensor, up: Tensor): Tensor {
  const apply = tf.customGrad((...args) => {
    const [gate, up, save] = args as unknown as [Tensor, Tensor, GradSaver];
    const sigmoid = tf.sigmoid(gate);
    const silu = tf.mul(gate, sigmoid);
    const value = tf.mul(silu, up);
    save([up, sigmoid, silu]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [up, sigmoid, silu] = saved as [Tensor, Tensor, Tensor];
      // silu' = s + silu (1 - s), times dy * up
      const dSilu = tf.mul(dy, up);
      const through = tf.mul(dSilu, silu);
      const dGate = tf.add(through, tf.mul(sigmoid, tf.sub(dSilu, through)));
      return [dGate, tf.mul(dy, silu)];
    };
    return { value, gradFunc };
  });
  return apply(gate, up);
}
