/**
 * Kernels that tfjs's native backend gets from us. With oneDNN on, TensorFlow replaces Softmax by oneDNN's in a graph but
 * not when it runs op by op, and the two differ in the last bits; and for short rows oneDNN's is the slowest of the ways
 * (64 x 4 x 25 rows of 25: 0.32 ms, from elementary ops 0.28 ms). Built from elementary ops it is the same everywhere.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { Tensor, Tf } from './session.ts';

export function registerNativeKernels(tf: Tf): void {
  tf.unregisterKernel('Softmax', 'tensorflow');
  tf.registerKernel({
    kernelName: 'Softmax',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => softmaxOfRows(tf, inputs['logits'] as Tensor),
  });
}

/** Over the last axis; the largest of each row is taken off first, so that nothing overflows. */
function softmaxOfRows(tf: Tf, logits: Tensor): TensorInfo {
  return tf.tidy(() => {
    const powers = tf.exp(tf.sub(logits, tf.max(logits, -1, true)));
    return tf.div(powers, tf.sum(powers, -1, true));
  });
}
