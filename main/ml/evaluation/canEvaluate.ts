/** Can a checkpoint be asked the episodes of a task here? From its files and config, before anything is allocated. */
import { AppError } from '../../contract/errors.ts';
import { isTextTask, textTaskLabels, type TaskSettings, type TextTaskName } from '../../contract/settings.ts';
import { fileOfFolder, readTextFile } from '../checkpoints/folderFiles.ts';
import { modelWarnings } from '../checkpoints/describeCheckpoint.ts';
import type { Checkpoint } from '../checkpoints/openCheckpoint.ts';
import { parseModelConfig, type ModelConfig } from '../model/modelConfig.ts';
import { parameterCount } from '../model/weights.ts';
import type { Task } from '../tasks/task.ts';
import { ChatCodec } from '../text/chatCodec.ts';
import { openTask } from './evaluateModel.ts';

const tokenizerName = 'tokenizer.json';
const maxTokenizerBytes = 32 * 1024 * 1024;
/** TensorFlow itself, the compiled steps and the largest batch of a small model. */
const constantBytes = 600e6;
const bytesPerParameter = 4;

/**
 * Memory to evaluate edits of a model: weights of both checkpoints, their singular vectors, and for each model side by side
 * its variables and what a step prepares from them.
 */
export const evaluationBytes = (parameters: number, models: number): number =>
  constantBytes + bytesPerParameter * parameters * (2 + 4 + 2 * models);

/**
 * Why the task cannot be asked, in whole sentences; null when it can.
 * @param availableBytes memory that may be used
 */
export async function whyNotEvaluated(
  checkpoint: Checkpoint,
  settings: TaskSettings,
  { models, availableBytes }: { models: number; availableBytes: number },
): Promise<string | null> {
  if (checkpoint.config === null) return 'There is no config.json beside the weights, so that no model can be built.';
  const [warning] = modelWarnings(checkpoint);
  if (warning !== undefined) return warning;
  const config = parseModelConfig(checkpoint.config);
  const why = isTextTask(settings.name)
    ? await whyNotInText(checkpoint, settings.name)
    : await whyNotInTokens(checkpoint, config, openTask(settings));
  if (why !== null) return why;
  const needed = evaluationBytes(parameterCount(config), models);
  if (needed <= availableBytes) return null;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  return `Evaluating it takes about ${gigabytes(needed)} of memory; ${gigabytes(availableBytes)} are free.`;
}

/** It needs a tokenizer and a chat template. */
async function whyNotInText({ place }: Checkpoint, name: TextTaskName): Promise<string | null> {
  const label = textTaskLabels[name];
  if (!place.ownsFolder) return `${label} is asked in text, and there is no tokenizer beside the weights.`;
  try {
    await ChatCodec.open(place.root);
    return null;
  } catch (error) {
    if (error instanceof AppError) return `${label} is asked in text. ${error.message}`;
    throw error;
  }
}

async function whyNotInTokens(checkpoint: Checkpoint, config: ModelConfig, task: Task): Promise<string | null> {
  const size = task.vocabulary.length;
  if (config.vocabSize !== size)
    return `Its vocabulary has ${config.vocabSize.toLocaleString('en')} tokens; the episodes of ${task.name} are written in the ${size} tokens of this lab's own studies.`;
  return (await speaksTask(checkpoint, task))
    ? null
    : `Its tokenizer is not the one of ${task.name}: only models of this lab's own studies can be asked these episodes.`;
}

/** Its tokenizer gives the task's words the task's numbers. */
async function speaksTask({ place }: Checkpoint, task: Task): Promise<boolean> {
  const path = place.ownsFolder ? await fileOfFolder(place.root, tokenizerName) : null;
  if (path === null) return false;
  try {
    const text = await readTextFile(path, tokenizerName, maxTokenizerBytes, 'bad_config');
    const { model } = JSON.parse(text) as { model?: { type?: unknown; vocab?: Record<string, unknown> } };
    const { vocab = {} } = model ?? {};
    return (
      Object.keys(vocab).length === task.vocabulary.length && task.vocabulary.every((word, id) => vocab[word] === id)
    );
  } catch (error) {
    if (error instanceof AppError || error instanceof SyntaxError) return false;
    throw error;
  }
}
