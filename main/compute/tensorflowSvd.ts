/** TensorFlow's own `Svd` kernel (cuSOLVER on a GPU, Eigen on the CPU), reached through the backend: tfjs has no op for it. */
import { AppError } from '../contract/errors.ts';
import { requireFiniteMatrix, type Svd } from './lapack.ts';
import type { Tf } from './session.ts';

interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

interface NativeBackend {
  binding: { TF_ATTR_BOOL: number; TF_ATTR_TYPE: number; TF_FLOAT: number };
  executeMultipleOutputs(
    name: string,
    attributes: OpAttribute[],
    inputs: unknown[],
    outputs: number,
  ): ReturnType<Tf['tensor']>[];
}

/**
 * Thin SVD of a [rows, columns], float32, row-major; blocks the thread.
 * @throws NOT_FINITE | SHAPE_MISMATCH | COMPUTE_FAILED what TensorFlow says (no memory on the GPU, no such kernel)
 */
export function tensorflowSvd(tf: Tf, a: Float32Array, rows: number, columns: number): Svd<Float32Array> {
  requireFiniteMatrix(a, rows, columns);
  const backend = tf.backend() as unknown as NativeBackend;
  try {
    return tf.tidy(() => {
      const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
      const attributes = [
        { name: 'compute_uv', type: TF_ATTR_BOOL, value: true },
        { name: 'full_matrices', type: TF_ATTR_BOOL, value: false },
        { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
      ];
      const input = tf.tensor2d(a, [rows, columns]);
      const [s, u, v] = backend.executeMultipleOutputs('Svd', attributes, [input], 3);
      const data = (tensor: ReturnType<Tf['tensor']>): Float32Array => tensor.dataSync<'float32'>();
      const vt = tf.transpose(v!);
      return { rows, columns, rank: Math.min(rows, columns), u: data(u!), s: data(s!), vt: data(vt) };
    });
  } catch (cause) {
    throw new AppError('COMPUTE_FAILED', `TensorFlow could not decompose a [${rows}, ${columns}] matrix.`, {
      hint: 'LAPACK is used in its place where it is installed.',
      cause,
    });
  }
}
