/**
 * Hidden states of a task's frozen prompts: the last prompt token after the final norm. A kind of task is one function from
 * a model to states; everything that is made of states (bases, distances) knows no task.
 */
import type { Compute } from '../../compute/compute.ts';
import { AppError } from '../../contract/errors.ts';
import type { HiddenStatesSettings } from '../../contract/hiddenStates.ts';
import { isTextTask } from '../../contract/settings.ts';
import { openCheckpoint } from '../checkpoints/openCheckpoint.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { requireMemory } from '../model/memoryEstimate.ts';
import { loadModel, modelConfigOf } from '../model/modelFolder.ts';
import type { Matrix } from '../spectral/linearAlgebra.ts';
import type { Split } from '../tasks/task.ts';
import { textTaskOf } from '../tasks/textTasks.ts';
import { ChatCodec } from '../text/chatCodec.ts';
import { TextModel } from '../text/textModel.ts';
import { whyNotAsked } from './canEvaluate.ts';
import { episodeSets, openTask } from './evaluateModel.ts';
import { textEpisodeSets } from './evaluateText.ts';

/** [prompts, hidden] of each split; row i is the same prompt at every checkpoint. */
export type PromptStates = Record<Split, Matrix<Float32Array>>;

/** Loads the model of a folder, asks it, and disposes it. @throws CHECKPOINT_UNSUPPORTED | OUT_OF_MEMORY with the reason */
export type StateReader = (folder: string, signal: AbortSignal) => Promise<PromptStates>;

/** States of all prompts, those of ID before those of OOD: [2 prompts, hidden]. */
type Ask = (model: LanguageModel, folder: string, signal: AbortSignal) => Promise<Matrix<Float32Array>>;

/**
 * The first held-out prompts of each split, which are those of the task's evaluations.
 * @throws INVALID_REQUEST the held-out share has fewer problems
 */
export async function openStateReader(compute: Compute, settings: HiddenStatesSettings): Promise<StateReader> {
  const ask = isTextTask(settings.task.name) ? await askInText(settings) : askInTokens(settings);
  return async (folder, signal) => {
    await requireAskable(compute, folder, settings);
    const model = await loadModel(compute, folder, signal);
    try {
      return bySplit(await ask(model, folder, signal));
    } finally {
      model.dispose();
    }
  };
}

function askInTokens({ task: settings, prompts }: HiddenStatesSettings): Ask {
  const task = openTask(settings);
  const { inDist, ood } = episodeSets(task, { ...settings, evaluationEpisodes: prompts });
  const ids = Int32Array.from([...inDist, ...ood].flatMap(({ prompt }) => [...prompt]));
  return async (model) => {
    const { shape, data } = await model.hiddenLastToken(ids, task.promptLength);
    const [, rows, columns] = shape;
    return { rows, columns, data: data.slice(-rows * columns) };
  };
}

/** What a dialogue shows first, in the template of the checkpoint. */
async function askInText({ task: settings, prompts }: HiddenStatesSettings): Promise<Ask> {
  const task = await textTaskOf(settings);
  const { inDist, ood } = textEpisodeSets(task, prompts, settings.evaluationSeed, settings.text.matched);
  const messages = [...inDist, ...ood].map((episode) => task.open(episode, { attempts: 1 }).messages);
  return async (model, folder, signal) => {
    const codec = await ChatCodec.open(folder);
    return new TextModel(model, codec).lastStates(messages.map((one) => codec.promptIds(one)), { signal }); // prettier-ignore
  };
}

async function requireAskable(compute: Compute, folder: string, { task }: HiddenStatesSettings): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const why = await whyNotAsked(checkpoint, task);
    if (why !== null)
      throw new AppError('CHECKPOINT_UNSUPPORTED', `${folder} cannot be asked the prompts of ${task.name}. ${why}`, {
        hint: 'Choose checkpoints of one study, or another task.',
      });
    // What a GPU has free is its own affair. Rows are as many at once as memory allows: here one has to fit.
    if (compute.provenance['device'] === 'gpu') return;
    const one = { kind: 'generation', batch: 1, promptTokens: 1, newTokens: 1 } as const;
    requireMemory(modelConfigOf(checkpoint), one, process.availableMemory());
  } finally {
    await checkpoint.close();
  }
}

/** The first half of the rows is ID, the second OOD. */
export function bySplit({ rows, columns, data }: Matrix<Float32Array>): PromptStates {
  const half = rows / 2;
  return {
    inDist: { rows: half, columns, data: data.subarray(0, half * columns) },
    ood: { rows: half, columns, data: data.subarray(half * columns) },
  };
}
