/** When WebGPU's GPU computes in the CPU's place, from what a trial has measured. */
import { expect, test } from 'vitest';
import { decideOnGpu } from '../../../main/compute/gpuChoice.ts';

const gpu = { name: 'Radeon', largestBufferBytes: 2 ** 31 };
const passed = (narrow: number, wide: number) => ({ failures: [], rates: { narrow, wide } });
const cpu = passed(100, 10);

test('a GPU that is faster with narrow and with wide layers is used', () => {
  expect(decideOnGpu(gpu, passed(150, 85), cpu)).toEqual({
    use: true,
    reason: 'Radeon trains 8.5 times as fast as the CPU with wide layers and 1.5 times with narrow ones.',
    nextStep: '',
  });
});

test('one that is faster with wide layers only is left to the choice of the user', () => {
  expect(decideOnGpu(gpu, passed(40, 85), cpu)).toEqual({
    use: false,
    reason: 'Radeon trains 8.5 times as fast as the CPU with wide layers and 0.4 times with narrow ones.',
    nextStep: 'To use it nevertheless, choose WebGPU as the backend.',
  });
  expect(decideOnGpu(gpu, passed(40, 5), cpu)).toMatchObject({ use: false, nextStep: '' });
});

test('a GPU that computes wrong, or is too small for a real model, is not used however fast it is', () => {
  const wrong = { failures: ['Gradients: largest error 0.9'], rates: null };
  expect(decideOnGpu(gpu, wrong, null)).toMatchObject({
    use: false,
    reason: 'The self-test failed on Radeon: Gradients: largest error 0.9.',
  });
  expect(decideOnGpu({ ...gpu, largestBufferBytes: 2 ** 27 }, passed(1e4, 1e4), cpu)).toMatchObject({
    use: false,
    reason: 'Radeon allows tensors of 134 MB; the embedding of a 0.5B model has 545 MB.',
  });
  expect(decideOnGpu(gpu, passed(1e4, 1e4), { rates: null })).toMatchObject({ use: false });
});
