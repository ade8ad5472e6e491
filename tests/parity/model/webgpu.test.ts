import { test } from 'vitest';
import { reasonWithoutWebgpu } from '../../webgpuHere.ts';
import { modelParityTests } from './modelParity.ts';

const reason = await reasonWithoutWebgpu();
if (reason === '') modelParityTests('webgpu', 'all');
else test.skip(`The model on WebGPU: ${reason}`);
