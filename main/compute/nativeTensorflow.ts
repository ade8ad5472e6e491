/** The installed TensorFlow, as the bootstrap reports it, behind one typed door. */
import { createRequire } from 'node:module';
import { nativeStatus, prepareTfjsNode } from '../bootstrap/native.mjs';
import { AppError } from '../contract/errors.ts';
import type { Tf } from './session.ts';

const require = createRequire(import.meta.url);

export interface NativeTensorflow {
  version: string;
  variant: 'cpu' | 'cuda';
  /** libtensorflow_cc.so.2 */
  libraryPath: string;
}

/** @throws COMPUTE_UNAVAILABLE with the reason and what to do */
export function findTensorflow(): NativeTensorflow {
  const { ready, reason, nextStep, version, variant, libraryPath } = nativeStatus().tensorflow;
  if (!ready) throw new AppError('COMPUTE_UNAVAILABLE', reason, { hint: nextStep });
  return { version, variant, libraryPath };
}

/** The NVIDIA driver found here and whether its libraries are; null without a driver. `reason`: why it is not in use. */
export const gpuOffer = () => nativeStatus().cuda;

/** tfjs on the native backend. The environment of the library is read now, so it has to be set before. */
export function loadTfjsNode(): Tf {
  prepareTfjsNode();
  return require('@tensorflow/tfjs-node-gpu') as Tf;
}
