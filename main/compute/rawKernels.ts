/**
 * Kernels of TensorFlow that tfjs has no op for, by their name. Only op by op, on the tensorflow backend; inside a step
 * they are recorded like any other op.
 */
import { AppError } from '../contract/errors.ts';
import type { Compute } from './compute.ts';
import type { Tensor } from './session.ts';

interface KernelBackend {
  binding: { TF_ATTR_BOOL: number; TF_ATTR_TYPE: number; TF_FLOAT: number };
  executeMultipleOutputs(op: string, attributes: object[], inputs: Tensor[], outputs: number): Tensor[];
}

/**
 * Thin singular value decomposition A = u diag(s) v^T by TensorFlow's own kernel, float32; on a GPU the fast way, on the
 * CPU slower than LAPACK.
 * @param a [..., m, n]
 * @returns s [..., r] descending, u [..., m, r], v [..., n, r] (not transposed), r = min(m, n); the caller disposes them
 * @throws COMPUTE_UNAVAILABLE on another backend
 */
export function tensorflowSvd({ backend, tf }: Compute, a: Tensor): { s: Tensor; u: Tensor; v: Tensor } {
  if (backend !== 'tensorflow') {
    throw new AppError('COMPUTE_UNAVAILABLE', 'The kernel "Svd" is TensorFlow\'s; this process computes on wasm.');
  }
  const kernels = tf.backend() as unknown as KernelBackend;
  const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = kernels.binding;
  const attributes = [
    { name: 'compute_uv', type: TF_ATTR_BOOL, value: true },
    { name: 'full_matrices', type: TF_ATTR_BOOL, value: false },
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
  ];
  const [s, u, v] = kernels.executeMultipleOutputs('Svd', attributes, [a], 3) as [Tensor, Tensor, Tensor];
  return { s, u, v };
}
