/** The checkpoint that a study starts from: found in the catalogue, hashed, and fit to be trained on a task in text. */
import type { Checkpoint } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { BaseSettings, StudySettings } from '../contract/settings.ts';
import { estimateMemory } from '../ml/model/memoryEstimate.ts';
import type { ModelConfig } from '../ml/model/modelConfig.ts';
import { modelConfigOf } from '../ml/model/modelFolder.ts';
import { openCheckpoint } from '../ml/checkpoints/openCheckpoint.ts';
import { Philox } from '../ml/random/philox.ts';
import { textTaskOf } from '../ml/tasks/textTasks.ts';
import { physicalCores } from '../jobs/physicalCores.ts';
import { longestDialoguePrompt } from '../ml/training/dialogueLength.ts';
import { driftBytes } from '../ml/training/spectralDrift.ts';
import { needsReference } from '../ml/training/textRl.ts';
import { mainArm } from '../studies/protocol.ts';
import type { EngineContext } from './context.ts';

/** Of English text and numbers, about. */
const charsPerToken = 3;

/**
 * The settings with what the catalogue knows of the base.
 * @throws NOT_FOUND | CONFLICT | CHECKPOINT_INCOMPLETE | CHECKPOINT_UNSUPPORTED why it cannot be started from
 */
export async function withBase(context: EngineContext, settings: StudySettings): Promise<StudySettings> {
  if (settings.base === null) return settings;
  const { name, folder, contentHash, parameters } = baseRow(context, settings.base);
  if (contentHash === null) {
    context.catalogue.hash([baseRow(context, settings.base)]);
    throw new AppError('CONFLICT', `"${name}" is being hashed, so that its content can be stored with the study.`, {
      hint: 'Try again when its job has ended.',
    });
  }
  await baseConfig(folder);
  return { ...settings, base: { folder, name, contentHash, parameters } };
}

export function baseRow({ store }: EngineContext, { folder }: BaseSettings): Checkpoint {
  const row = store.checkpoints.byFolder(folder);
  if (!row) throw new AppError('NOT_FOUND', `${folder} is not among the checkpoints.`, { hint: 'Import it first.' });
  if (row.missing)
    throw new AppError('NOT_FOUND', `The files of "${row.name}" are no longer at ${folder}.`, {
      hint: 'Put them back, or link the checkpoint to their new place on its page.',
    });
  if (!row.hasTokenizer)
    throw new AppError('CHECKPOINT_INCOMPLETE', `"${row.name}" has no tokenizer, and the task is asked in text.`, {
      hint: 'Copy tokenizer.json and tokenizer_config.json of the same model into its folder.',
    });
  return row;
}

async function baseConfig(folder: string): Promise<ModelConfig> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return modelConfigOf(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** Memory of the stage that takes most, bytes, from the lengths of one example; the stage itself looks at all of them. */
export async function studyMemoryBytes({ base, task, sft, rl, ...settings }: StudySettings): Promise<number | null> {
  if (base === null) return null;
  const config = await baseConfig(base.folder);
  const opened = await textTaskOf(task);
  const [example] = opened.examples(opened.trainingEpisode('inDist', new Philox('memory of a study')));
  const tokens = (chars: number): number => Math.ceil(chars / charsPerToken);
  const promptTokens = tokens(example!.prompt.reduce((sum, { content }) => sum + content.length, 0));
  const answerTokens = tokens(example!.answer.text.length);
  const training = (batch: number, prompt: number, answer: number, atCheckpoints = 0): number =>
    estimateMemory(config, { kind: 'training', batch, promptTokens: prompt, answerTokens: answer, atCheckpoints })
      .total;
  const spectra = sft.spectralDrift ? driftBytes(config, physicalCores()) : 0;
  const { minibatchSize, microBatchSize, maxNewTokens } = rl.text;
  const arms = [mainArm(settings), ...rl.controlArms];
  const frozen = arms.some((arm) => needsReference(rl.text, arm)) ? estimateMemory(config, { kind: 'generation', batch: 1, promptTokens: 1, newTokens: 1 }).weights : 0; // prettier-ignore
  const rlRows = Math.min(microBatchSize ?? minibatchSize, minibatchSize);
  return Math.max(
    training(Math.min(sft.text.microBatchSize, sft.batchSize), promptTokens, answerTokens, spectra),
    training(rlRows, longestDialoguePrompt(promptTokens, rl.text), maxNewTokens) + frozen,
  );
}
