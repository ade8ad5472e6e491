import { expect, test } from 'vitest';
import { parseGpus, parseMemoryOf, parseUse } from '../../../main/compute/nvidia.ts';

test('GPUs as nvidia-smi lists them', () => {
  const csv = '0, GPU-5d1c, NVIDIA A10, 23028, 451\n1, GPU-77aa, NVIDIA GeForce RTX 4090, 24564, [N/A]\n';
  expect(parseGpus(csv)).toEqual([
    { index: 0, uuid: 'GPU-5d1c', name: 'NVIDIA A10', totalBytes: 23028 * 2 ** 20, usedBytes: 451 * 2 ** 20 },
    { index: 1, uuid: 'GPU-77aa', name: 'NVIDIA GeForce RTX 4090', totalBytes: 24564 * 2 ** 20, usedBytes: 0 },
  ]);
  expect(parseGpus('')).toEqual([]);
  expect(parseGpus('NVIDIA-SMI has failed because it could not communicate with the driver.')).toEqual([]);
});

test('the memory of one process, on all GPUs together', () => {
  const csv = '4711, 3120\n12, 100\n4711, 80\n';
  expect(parseMemoryOf(4711, csv)).toBe(3200 * 2 ** 20);
  expect(parseMemoryOf(4711, '4711, [N/A]\n')).toBeNull();
  expect(parseMemoryOf(1, csv)).toBeNull();
});

test('memory and use of every GPU', () => {
  expect(parseUse('NVIDIA A10, 451, 23028, 37\nNVIDIA H100 80GB HBM3, [N/A], 81559, [N/A]\n')).toEqual([
    { name: 'NVIDIA A10', usedBytes: 451 * 2 ** 20, totalBytes: 23028 * 2 ** 20, busyShare: 0.37 },
    { name: 'NVIDIA H100 80GB HBM3', usedBytes: 0, totalBytes: 81559 * 2 ** 20, busyShare: null },
  ]);
  expect(parseUse('NVIDIA-SMI has failed because it could not communicate with the driver.')).toEqual([]);
});
