import { expect, test } from 'vitest';
import type { AppErrorShape } from '../../../main/contract/errors.ts';
import { withSmallerSetting } from '../../../main/jobs/smallerSetting.ts';

const noMemory: AppErrorShape = {
  code: 'OUT_OF_MEMORY',
  message: 'No memory.',
  hint: 'Close other programs.',
  details: { usedBytes: 5 },
};

test('a job without memory is told the half of its largest batch, micro-batches first', () => {
  const sft = { settings: { batchSize: 64, text: { microBatchSize: 5 } } };
  expect(withSmallerSetting(noMemory, sft)).toEqual({
    ...noMemory,
    hint: 'Try a micro-batch size of 3 (it was 5). Close other programs.',
    details: { usedBytes: 5, tryInstead: { microBatchSize: 3 } },
  });
  const rl = { settings: { batchSize: 64, rl: [{ minibatchSize: 8 }, { minibatchSize: 256 }] } };
  expect(withSmallerSetting(noMemory, rl).hint).toMatch(/^Try a minibatch size of 128 \(it was 256\)\./);
  expect(withSmallerSetting(noMemory, { settings: { batchSize: 64, text: { microBatchSize: 1 } } }).hint).toMatch(
    /^Try a batch size of 32/,
  );
});

test('other errors, and requests without a batch, stay as they are', () => {
  const failed: AppErrorShape = { code: 'COMPUTE_FAILED', message: 'No.' };
  expect(withSmallerSetting(failed, { batchSize: 64 })).toBe(failed);
  expect(withSmallerSetting(noMemory, { batchSize: 1 })).toBe(noMemory);
  expect(withSmallerSetting(noMemory, null)).toBe(noMemory);
});
