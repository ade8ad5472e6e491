/**
 * Rows of a table by their ids, with a gradient on every backend. tfjs's own gradient of gather needs the kernel
 * UnsortedSegmentSum, which the wasm backend lacks; here the gradient is a matrix product with the one-hot ids, which
 * both backends have and which sums in the same order every time. For large tables, where the one-hot ids would be as
 * large as the logits, it is that kernel after all wherever there is one.
 */
import type { Tensor1D } from '@tensorflow/tfjs';
import type { Tensor, Tf } from './session.ts';

/** A table of a real vocabulary; those of closed tasks have a hundred rows. */
const largeTableRows = 4096;

/**
 * @param table float32 [rows, width]
 * @param ids int32, any shape, values in 0..rows-1
 * @returns float32 [...ids.shape, width]
 */
export function gatherRows(tf: Tf, table: Tensor, ids: Tensor): Tensor {
  const [rows, width] = table.shape as [number, number];
  const flat: Tensor1D = ids.reshape([ids.size]);
  const sumsSegments = rows >= largeTableRows && tf.getKernel('UnsortedSegmentSum', tf.getBackend()) !== undefined;
  const pick = tf.customGrad((...args) => {
    const [rowsOfTable, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void];
    save([flat]);
    const value = tf.gather(rowsOfTable, flat);
    const gradFunc = (dy: Tensor, [savedIds]: Tensor[]) => {
      if (sumsSegments) return tf.unsortedSegmentSum(dy, savedIds as typeof flat, rows);
      return tf.matMul(tf.oneHot(savedIds as typeof flat, rows), dy, true, false);
    };
    return { value, gradFunc: gradFunc };
  });
  return pick(table).reshape([...ids.shape, width]);
}
