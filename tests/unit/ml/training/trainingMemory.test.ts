/** The estimate grows with what it is of, and a refusal names a setting that it would pass. */
import { expect, test } from 'vitest';
import { AppError } from '../../../../main/contract/errors.ts';
import { modelSettingsSchema } from '../../../../main/contract/settings.ts';
import { modelConfigFromSettings } from '../../../../main/ml/model/modelConfig.ts';
import { checkTrainingMemory, trainingMemory } from '../../../../main/ml/training/trainingMemory.ts';
import { toyTask } from './toyTask.ts';

const config = modelConfigFromSettings(modelSettingsSchema.parse({ hiddenSize: 256 }), toyTask);
const longest = { prompt: 300, answer: 80 };

test('what fits in its own estimate passes; a byte less is refused with rows that fit', () => {
  const memory = trainingMemory(config, longest);
  const available = memory.model + 8 * memory.row;
  checkTrainingMemory(memory, 8, available);
  for (const rows of [9, 64]) {
    const refused = (): void => checkTrainingMemory(memory, rows, available);
    expect(refused).toThrow(AppError);
    expect(refused).toThrow(/GB of memory .* GB are free/);
    try {
      refused();
    } catch (error) {
      expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
      expect((error as AppError).hint).toContain('sft.microBatchSize to 8');
    }
  }
  expect(() => checkTrainingMemory(memory, 1, memory.model)).toThrow(/model/);
});

test('longer rows and larger models take more', () => {
  const memory = trainingMemory(config, longest);
  expect(trainingMemory(config, { prompt: 600, answer: 80 }).row).toBeGreaterThan(memory.row);
  expect(trainingMemory(config, { prompt: 300, answer: 160 }).row).toBeGreaterThan(memory.row);
  expect(trainingMemory({ ...config, vocabSize: 100_000 }, longest).row).toBeGreaterThan(2 * memory.row);
  expect(trainingMemory({ ...config, numHiddenLayers: 12 }, longest).model).toBeGreaterThan(memory.model);
});
