/** What the foot says of the backend in use when there is little room, and whether there is more to know. */
import type { ComputeStatus } from '../../main/contract/api.ts';

export const shortLabel = ({ backend }: ComputeStatus): string =>
  ({ tensorflow: 'TensorFlow', webgpu: 'WebGPU', wasm: 'wasm' })[backend];

/** A faster backend is out of reach for a reason, or could be installed: the details have a next step. */
export const hasAdvice = ({ reason, cuda }: ComputeStatus): boolean =>
  reason !== '' || (cuda !== null && !cuda.installed);
