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
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(input), 1, true), eps));
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

/** Cosines and signed sines of RoPE, laid out as the queries and keys are, so that rotating needs no broadcasting over heads. */
export interface RotaryTables {
  /** [rows or 1, width] */
  cos: Tensor;
  /** [rows or 1, width], first half of every head negated */
  sin: Tensor;
}

/**
 * Rotary position embedding in the rotate-half form: x * cos + swapHalves(x) * signedSin.
 * @param x float32 [rows, heads * headDim]
 */
export function rotate(tf: Tf, x: Tensor, tables: RotaryTables, headDim: number): Tensor {
  const swapHalves = (y: Tensor): Tensor => {
    const [first, second] = tf.split(y.reshape([-1, headDim]), 2, 1);
    return tf.concat([second!, first!], 1).reshape(y.shape);
  };
  const rotateRows = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, GradSaver];
    const value = tf.add(tf.mul(input, tables.cos), tf.mul(swapHalves(input), tables.sin));
    save([tables.cos, tables.sin]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [cos, sin] = saved as [Tensor, Tensor];
      return tf.add(tf.mul(dy, cos), swapHalves(tf.mul(dy, sin)));
    };
    return { value, gradFunc };
  });
  return rotateRows(x);
}

/**
 * SwiGLU: silu(gate) * up.
 * @param gateUp float32 [rows, 2 * intermediate], gate first
 * @returns float32 [rows, intermediate]
 */
export function swiGlu(tf: Tf, gateUp: Tensor): Tensor {
  const apply = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, GradSaver];
    const [gate, up] = tf.split(input, 2, 1) as [Tensor, Tensor];
    const sigmoid = tf.sigmoid(gate);
    const silu = tf.mul(gate, sigmoid);
    const value = tf.mul(silu, up);
    save([up, sigmoid, silu]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [up, sigmoid, silu] = saved as [Tensor, Tensor, Tensor];
      // silu' = s + silu (1 - s)
      const slope = tf.add(sigmoid, tf.sub(silu, tf.mul(silu, sigmoid)));
      return tf.concat([tf.mul(tf.mul(dy, up), slope), tf.mul(dy, silu)], 1);
    };
    return { value, gradFunc };
  });
  return apply(gateUp);
}
