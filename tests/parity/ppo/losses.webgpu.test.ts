import { test } from 'vitest';
import { reasonWithoutWebgpu } from '../../webgpuHere.ts';
import { ppoLossParity } from './lossParity.ts';

const reason = await reasonWithoutWebgpu();
if (reason === '') ppoLossParity('webgpu');
else test.skip(`PPO losses on WebGPU: ${reason}`);
