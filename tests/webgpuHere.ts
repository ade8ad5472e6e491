/** Whether the suites of the WebGPU backend can run: on a GPU, or on the software Vulkan that `npm test` found. */
import { findGpu } from '../main/compute/webgpu.ts';
import { toErrorShape } from '../main/contract/errors.ts';

/** @returns '' when they can */
export async function reasonWithoutWebgpu(): Promise<string> {
  try {
    await findGpu();
    return '';
  } catch (error) {
    const { message, hint } = toErrorShape(error);
    return `${message} ${hint ?? ''}`;
  }
}
