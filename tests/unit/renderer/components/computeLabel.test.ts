import { describe, expect, it } from 'vitest';
import type { ComputeStatus } from '../../../../main/contract/api.ts';
import { hasAdvice, shortLabel } from '../../../../renderer/components/computeLabel.ts';

const best: ComputeStatus = {
  backend: 'tensorflow',
  label: 'TensorFlow 2.21 · CPU',
  device: '2 cores',
  reason: '',
  nextStep: '',
  cuda: null,
  gpu: null,
  productsPerSecond: null,
};

describe('the backend in the foot', () => {
  it('has a short name', () => {
    expect(shortLabel(best)).toBe('TensorFlow');
    expect(shortLabel({ ...best, backend: 'wasm' })).toBe('wasm');
    expect(shortLabel({ ...best, backend: 'webgpu' })).toBe('WebGPU');
  });
  it('is marked exactly when there is something to know or to install', () => {
    expect(hasAdvice(best)).toBe(false);
    expect(hasAdvice({ ...best, reason: 'TensorFlow is not installed.' })).toBe(true);
    const cuda = { driver: '580.1', downloadBytes: 2e9 };
    expect(hasAdvice({ ...best, cuda: { ...cuda, installed: false } })).toBe(true);
    expect(hasAdvice({ ...best, cuda: { ...cuda, installed: true } })).toBe(false);
  });
});
