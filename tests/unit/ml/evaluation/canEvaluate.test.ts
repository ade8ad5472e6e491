/** Which checkpoints can be asked which task, and why not: from files and configuration alone. */
import { expect, test } from 'vitest';
import { taskSettingsSchema, type TaskName } from '../../../../main/contract/settings.ts';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { whyNotEvaluated } from '../../../../main/ml/evaluation/canEvaluate.ts';

async function why(folder: string, name: TaskName, availableBytes = 1e12): Promise<string | null> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return await whyNotEvaluated(checkpoint, taskSettingsSchema.parse({ name }), { models: 1, availableBytes });
  } finally {
    await checkpoint.close();
  }
}

const ownStudy = 'resources/sample-study/checkpoints/seed-0-end';

test('a task in text needs a tokenizer and a chat template', async () => {
  expect(await why('tests/fixtures/tiny-qwen2', 'rank')).toBeNull();
  expect(await why('tests/fixtures/tiny-llama', 'generalPoints')).toBeNull();
  expect(await why('tests/fixtures/tiny-llama-base', 'rank')).toMatch(
    /^Rank of a matrix is asked in text\. .*tokenizer/,
  );
  expect(await why(ownStudy, 'navigation')).toMatch(/^Navigation is asked in text\. .*chat template/);
});

test('a task in tokens needs the tokenizer of this lab', async () => {
  expect(await why(ownStudy, 'generalPoints3')).toBeNull();
  expect(await why(ownStudy, 'navigation3')).toMatch(/tokens/);
  expect(await why('tests/fixtures/tiny-qwen2', 'generalPoints3')).toMatch(/tokens of this lab's own studies/);
});

test('either needs memory, which is said in numbers', async () => {
  for (const [folder, task] of [
    ['tests/fixtures/tiny-qwen2', 'rank'],
    [ownStudy, 'generalPoints3'],
  ] as const)
    // prettier-ignore
    expect(await why(folder, task, 1e8)).toMatch(/takes about 0\.6 GB of memory; 0\.1 GB are free/);
});
