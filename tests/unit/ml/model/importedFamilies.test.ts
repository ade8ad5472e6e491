/** Every family's checkpoint, opened as an import does, can be built; one of an unknown family says what it lacks. */
import { expect, test } from 'vitest';
import { modelWarnings } from '../../../../main/ml/checkpoints/describeCheckpoint.ts';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';

const folders = ['tiny-llama', 'tiny-llama-rope3', 'tiny-llama-sharded', 'tiny-qwen2', 'tiny-qwen3', 'tiny-mllama'];

test.each(folders)('%s can be built', async (folder) => {
  const checkpoint = await openCheckpoint(`tests/fixtures/${folder}`);
  try {
    expect(modelWarnings(checkpoint)).toEqual([]);
  } finally {
    await checkpoint.close();
  }
});

test('Mllama under the names that transformers gives the parameters in memory can be built too', async () => {
  const checkpoint = await openCheckpoint('tests/fixtures/tiny-mllama');
  await checkpoint.close();
  const inMemory = (name: string): string => {
    return name === 'language_model.lm_head.weight' ? 'lm_head.weight' : name.replace(/^language_model\.model/, 'model.language_model'); // prettier-ignore
  };
  const { config } = checkpoint;
  const tensors = new Map([...checkpoint.tensors].map(([name, tensor]) => [inMemory(name), tensor]));
  expect(modelWarnings({ config, tensors })).toEqual([]);
  tensors.delete('lm_head.weight');
  expect(modelWarnings({ config, tensors })[0]).toContain('"lm_head.weight"');
});
