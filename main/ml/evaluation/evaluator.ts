/**
 * What a job asks of a model, whatever the kind of task: opened once from the settings of the task, then given one model
 * after another. Tasks in tokens are asked through `evaluateModel`, tasks in text through `evaluateText` with the
 * tokenizer of the checkpoint's folder. The episodes are frozen, so that any two answers can be compared.
 */
import type { Evaluation } from '../../contract/evaluation.ts';
import type { AnswerSample, Overlap } from '../../contract/samples.ts';
import { isTextTask, type TaskSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { overlapWithTraining } from '../tasks/overlap.ts';
import type { Episode, Split } from '../tasks/task.ts';
import type { TextExample } from '../tasks/textTask.ts';
import { textTaskOf } from '../tasks/textTasks.ts';
import { ChatCodec } from '../text/chatCodec.ts';
import { TextModel } from '../text/textModel.ts';
import { episodeSets, evaluateModel, openTask } from './evaluateModel.ts';
import { type EvaluationProgress, evaluateText, textEpisodeSets } from './evaluateText.ts';

export interface EvaluatorOptions {
  signal?: AbortSignal;
  onProgress?: EvaluationProgress;
}

export interface Evaluator {
  /** @returns the evaluation, and every answer of a task in text */
  evaluate(
    model: LanguageModel,
    options?: EvaluatorOptions,
  ): Promise<{ evaluation: Evaluation; samples: AnswerSample[] }>;
}

/**
 * @param folder of a checkpoint whose tokenizer the models share
 * @throws INVALID_REQUEST | CHECKPOINT_INCOMPLETE | CHECKPOINT_UNSUPPORTED
 */
export function openEvaluator(settings: TaskSettings, folder: string): Promise<Evaluator> {
  return isTextTask(settings.name) ? openTextEvaluator(settings, folder) : Promise.resolve(tokenEvaluator(settings));
}

/** @param training SFT examples whose loss is read too */
export function tokenEvaluator(settings: TaskSettings, training?: readonly Episode[]): Evaluator {
  const task = openTask(settings);
  const sets = episodeSets(task, settings);
  return {
    evaluate: async (model) => ({ evaluation: await evaluateModel(model, task, sets, training), samples: [] }),
  };
}

export interface TextEvaluator extends Evaluator {
  /** Of the held-out sets with the training data; null without. */
  overlap: Record<Split, Overlap> | null;
}

/** @param training all SFT examples: the first of them have their loss read, all are searched for held-out problems */
export async function openTextEvaluator(
  settings: TaskSettings,
  folder: string,
  training?: readonly TextExample[],
): Promise<TextEvaluator> {
  const { evaluationEpisodes: count, evaluationSeed: seed, text } = settings;
  const task = await textTaskOf(settings);
  const codec = await ChatCodec.open(folder);
  const sets = textEpisodeSets(task, count, seed, text.matched);
  const overlapOf = (split: Split): Overlap => overlapWithTraining(task, training!, sets[split]);
  const overlap = training ? { inDist: overlapOf('inDist'), ood: overlapOf('ood') } : null;
  // As many examples as a half of the evaluation has episodes.
  const sample = training ? { training: training.slice(0, count / 2) } : {};
  return {
    overlap,
    evaluate: async (model, options = {}) => {
      const found = await evaluateText(new TextModel(model, codec), task, sets, { ...text, seed }, { ...options, ...sample }); // prettier-ignore
      if (overlap !== null)
        for (const split of ['inDist', 'ood'] as const) {
          const { sharedMultisets: multisets, sharedPrompts: prompts } = overlap[split];
          found.evaluation[split].answers!.overlap = { multisets, prompts };
        }
      return found;
    },
  };
}
