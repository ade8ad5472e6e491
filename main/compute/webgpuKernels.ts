/** Kernels that tfjs's WebGPU backend gets from us. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { Tensor, Tf } from './session.ts';

/** Its AddN binds all summands in one shader, and a device allows eight buffers there, the sum included. */
export function registerWebgpuKernels(tf: Tf): void {
  tf.unregisterKernel('AddN', 'webgpu');
  tf.registerKernel({
    kernelName: 'AddN',
    backendName: 'webgpu',
    kernelFunc: ({ inputs }) => sumInTurn(tf, inputs as unknown as Tensor[]),
  });
}

function sumInTurn(tf: Tf, [first, ...others]: Tensor[]): TensorInfo {
  return tf.tidy(() => others.reduce((sum, tensor) => tf.add(sum, tensor), first!.clone()));
}
