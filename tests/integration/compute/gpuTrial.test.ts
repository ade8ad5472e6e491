/** Trials in real processes: what passes, what has no GPU, what cannot be opened. */
import { expect, test } from 'vitest';
import { nvidiaDriver } from '../../../main/bootstrap/native.mjs';
import { reasonAgainstCuda, runTrial } from '../../../main/compute/gpuTrial.ts';

test('a backend that computes right has rates', async () => {
  const { failures, gpu, rates } = await runTrial('tensorflow', { rates: true });
  expect({ failures, gpu }).toEqual({ failures: [], gpu: null });
  expect(rates!.narrow).toBeGreaterThan(rates!.wide);
  expect(rates!.wide).toBeGreaterThan(0);
});

test.skipIf(nvidiaDriver())('without an NVIDIA GPU the trial of CUDA does not pass', async () => {
  expect(await reasonAgainstCuda()).toBe('The GPU is not used: TensorFlow found no GPU');
});

test('a backend that cannot be opened says why', async () => {
  const env = { ROTASCOPE_GPU: 'no GPU has this name' };
  await expect(runTrial('webgpu', { env })).rejects.toThrow(/^WebGPU (found no GPU named|is not installed)/);
});
