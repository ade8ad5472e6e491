/** The checkpoint that a study starts from: found in the catalogue, hashed, and fit to be trained on a task in text. */
import type { Checkpoint } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { BaseSettings, StudySettings } from '../contract/settings.ts';
import { estimateMemory, type PlannedTraining } from '../ml/model/memoryEstimate.ts';
import { modelConfigOf, readModelConfig } from '../ml/model/modelFolder.ts';
import { openCheckpoint } from '../ml/checkpoints/openCheckpoint.ts';
import { Philox } from '../ml/random/philox.ts';
import { chatRenderer, noTemplateHint } from '../ml/tokenizer/chatRenderer.ts';
import { readChatFiles } from '../ml/tokenizer/tokenizerFiles.ts';
import { textTaskOf } from '../ml/tasks/textTasks.ts';
import { physicalCores } from '../jobs/physicalCores.ts';
import { longestDialoguePrompt } from '../ml/training/dialogueLength.ts';
import { plannedRl, plannedSft } from '../ml/training/plannedTraining.ts';
import { mainArm } from '../studies/protocol.ts';
import type { EngineContext } from './context.ts';

/** Of English text and numbers, about. */
const charsPerToken = 3;

/**
 * The settings with what the catalogue knows of the base.
 * @throws NOT_FOUND | CONFLICT, or as `requireAskable`: why it cannot be started from
 */
export async function withBase(context: EngineContext, settings: StudySettings): Promise<StudySettings> {
  if (settings.base === null) return settings;
  const { name, folder, contentHash, parameters } = baseRow(context, settings.base);
  await requireAskable(name, folder);
  if (contentHash === null) {
    context.catalogue.hash([baseRow(context, settings.base)]);
    throw new AppError('CONFLICT', `"${name}" is being hashed, so that its content can be stored with the study.`, {
      hint: 'Try again when its job has ended.',
    });
  }
  return { ...settings, base: { folder, name, contentHash, parameters } };
}

export function baseRow({ store }: EngineContext, { folder }: BaseSettings): Checkpoint {
  const row = store.checkpoints.byFolder(folder);
  if (!row) throw new AppError('NOT_FOUND', `${folder} is not among the checkpoints.`, { hint: 'Import it first.' });
  if (row.missing)
    throw new AppError('NOT_FOUND', `The files of "${row.name}" are no longer at ${folder}.`, {
      hint: 'Put them back, or link the checkpoint to their new place on its page.',
    });
  return row;
}

/** Turns as the tasks have them: an answer that fails is followed by why. */
const dialogue = ['user', 'assistant', 'user'].map((role) => ({ role, content: 'rotascope' }));

/**
 * What its files say now, whatever they were when it was imported.
 * @throws CHECKPOINT_INCOMPLETE | CHECKPOINT_INVALID | CHECKPOINT_UNSUPPORTED no model, tokenizer or chat template;
 *   INVALID_REQUEST the template refuses dialogues
 */
async function requireAskable(name: string, folder: string): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    modelConfigOf(checkpoint);
    const incomplete = (what: string, hint: string): AppError =>
      new AppError('CHECKPOINT_INCOMPLETE', `"${name}" has no ${what}, and the task is asked in text.`, { hint });
    if (!checkpoint.hasTokenizer)
      throw incomplete('tokenizer', 'Copy tokenizer.json and tokenizer_config.json of the same model into its folder.');
    const files = await readChatFiles(checkpoint.place.root);
    if (files.template === null) throw incomplete('chat template', noTemplateHint);
    chatRenderer(files)(dialogue, { addGenerationPrompt: true });
  } finally {
    await checkpoint.close();
  }
}

/** Memory of the stage that takes most, bytes, from the lengths of one example; the stage itself looks at all of them. */
export async function studyMemoryBytes({
  base,
  task,
  sft,
  rl,
  comparison,
  ...settings
}: StudySettings): Promise<number | null> {
  if (base === null) return null;
  const config = await readModelConfig(base.folder);
  const opened = await textTaskOf(task);
  const [example] = opened.examples(opened.trainingEpisode('inDist', new Philox('memory of a study')));
  const tokens = (chars: number): number => Math.ceil(chars / charsPerToken);
  const promptTokens = tokens(example!.prompt.reduce((sum, { content }) => sum + content.length, 0));
  const answerTokens = tokens(example!.answer.text.length);
  const penalties = [sft.rotationPenalty, ...(settings.preset === 'comparison' ? [comparison.rotationPenalty] : [])];
  const sftRuns = penalties.map((rotationPenalty): PlannedTraining => {
    return { ...plannedSft(config, { ...sft, rotationPenalty }, physicalCores()), promptTokens, answerTokens };
  });
  const lengths = { promptTokens: longestDialoguePrompt(promptTokens, rl.text), answerTokens: rl.text.maxNewTokens };
  const rlRuns = [mainArm(settings), ...rl.controlArms].map((arm) => ({ ...plannedRl(rl.text, arm), ...lengths }));
  return Math.max(...[...sftRuns, ...rlRuns].map((run) => estimateMemory(config, run).total));
}
