/** Checkpoints of a study on disk: read as weights, written as Hugging Face folders that hold the task's tokenizer. */
import { AppError } from '../../contract/errors.ts';
import type { SavedDtype } from '../../contract/settings.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import { writeCheckpoint } from '../../ml/checkpoints/writeCheckpoint.ts';
import type { LanguageModel } from '../../ml/model/languageModel.ts';
import { parseModelConfig, toHuggingFaceConfig } from '../../ml/model/modelConfig.ts';
import type { ModelConfig } from '../../ml/model/modelConfig.ts';
import { saveModel } from '../../ml/model/modelFolder.ts';
import { checkWeights } from '../../ml/model/weights.ts';
import type { WeightMap } from '../../ml/model/weights.ts';
import type { Task } from '../../ml/tasks/task.ts';
import { wordLevelTokenizer } from '../../ml/tokenizer/wordLevelTokenizer.ts';

/** @throws CHECKPOINT_INVALID | CHECKPOINT_INCOMPLETE | CHECKPOINT_UNSUPPORTED | SHAPE_MISMATCH */
export async function readWeights(folder: string): Promise<{ config: ModelConfig; weights: WeightMap }> {
  const checkpoint = await openCheckpoint(folder);
  try {
    if (!checkpoint.config) throw new AppError('CHECKPOINT_INCOMPLETE', `${folder} has no config.json.`);
    const config = parseModelConfig(checkpoint.config, checkpoint.tensors);
    const weights = await checkpoint.readAll();
    checkWeights(config, weights);
    return { config, weights };
  } finally {
    await checkpoint.close();
  }
}

export async function writeWeights(folder: string, config: ModelConfig, weights: WeightMap, task: Task): Promise<void> {
  await writeCheckpoint(folder, { config: toHuggingFaceConfig(config), weights, ...wordLevelTokenizer(task) });
}

/** Writes the model's present weights as a checkpoint. */
export type SaveCheckpoint = (folder: string, model: LanguageModel) => Promise<void>;

/** With the tokenizer of a task in tokens. */
export const tokenCheckpoints = (task: Task): SaveCheckpoint => {
  return async (folder, model) => writeWeights(folder, model.config, await model.readWeights(), task);
};

/** Of the layout and with the tokenizer of the checkpoint that training started from; in its types, or exact. */
export const textCheckpoints = (base: string, dtype: SavedDtype, signal: AbortSignal): SaveCheckpoint => {
  return (folder, model) => saveModel(folder, model, base, { dtype, signal });
};

/** Folder of the checkpoint at a step: `step-000200`, so that names sort as steps do. */
export const stepFolderName = (step: number): string => `step-${String(step).padStart(6, '0')}`;
