/** The size of an interpolation without making it: tensors are read a few megabytes at a time, so that any model fits. */
import { AppError } from '../../contract/errors.ts';
import type { ModelEditRecord } from '../../contract/sweeps.ts';
import type { Checkpoint } from '../checkpoints/openCheckpoint.ts';
import { dtypeBits, isFloatDtype, widenToFloat32 } from '../safetensors/dtypes.ts';
import { modelRecord } from './editMatrix.ts';

const chunkElements = 2 ** 20;

export interface PathLength {
  /** ||W_r - W_t||_F and ||W_t||_F over all tensors of floating point. */
  distance: number;
  size: number;
}

/** @throws CANCELLED; CHECKPOINT_UNSUPPORTED a tensor of the reference holds no floating point */
export async function pathLength(target: Checkpoint, reference: Checkpoint, signal: AbortSignal): Promise<PathLength> {
  let [distance, size] = [0, 0];
  for (const { name, dtype, elements } of target.tensors.values()) {
    if (!isFloatDtype(dtype)) continue;
    for (let from = 0; from < elements; from += chunkElements) {
      signal.throwIfAborted();
      const count = Math.min(chunkElements, elements - from);
      const [w, r] = [await readElements(target, name, from, count), await readElements(reference, name, from, count)];
      for (let i = 0; i < count; i++) {
        distance += (r[i]! - w[i]!) ** 2;
        size += w[i]! ** 2;
      }
    }
  }
  return { distance: Math.sqrt(distance), size: Math.sqrt(size) };
}

/** Of W_t + alpha (W_r - W_t); no matrix of it is edited by itself. */
export function pathRecord({ distance, size }: PathLength, alpha: number): ModelEditRecord {
  const changeNorm = Math.abs(alpha) * distance;
  return { ...modelRecord([]), changeNorm, relativeChange: size === 0 ? 0 : changeNorm / size };
}

/** A range of one tensor, widened. @throws CHECKPOINT_UNSUPPORTED no floating point */
export async function readElements(
  checkpoint: Checkpoint,
  name: string,
  from: number,
  count: number,
): Promise<Float32Array> {
  const dtype = checkpoint.tensors.get(name)!.dtype;
  if (!isFloatDtype(dtype))
    throw new AppError('CHECKPOINT_UNSUPPORTED', `"${name}" of the reference holds ${dtype} values.`, {
      hint: 'Save its weights as F32, F16 or BF16.',
    });
  const bytes = dtypeBits(dtype)! / 8;
  return widenToFloat32(dtype, await checkpoint.readBytes(name, from * bytes, count * bytes));
}
