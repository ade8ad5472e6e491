/** RL of a checkpoint on a task in text: the memory that it takes, its model, and the frozen base where one is read. */
import type { RlRequest } from '../../contract/requests.ts';
import type { TextRlSettings } from '../../contract/settings.ts';
import { openEvaluator } from '../../ml/evaluation/evaluator.ts';
import { loadModel, readModelConfig } from '../../ml/model/modelFolder.ts';
import { Philox } from '../../ml/random/philox.ts';
import { textTaskOf } from '../../ml/tasks/textTasks.ts';
import { TextModel } from '../../ml/text/textModel.ts';
import { ChatCodec } from '../../ml/text/chatCodec.ts';
import type { TextTask } from '../../ml/tasks/textTask.ts';
import { longestDialoguePrompt } from '../../ml/training/dialogueLength.ts';
import { plannedRl } from '../../ml/training/plannedTraining.ts';
import { needsReference, trainTextRl } from '../../ml/training/textRl.ts';
import type { JobContext } from '../jobContext.ts';
import { textCheckpoints } from './checkpointFolders.ts';
import type { RlRun } from './rl.ts';
import { requireTrainingMemory } from './trainingMemory.ts';

export async function openTextRl(context: JobContext, request: RlRequest): Promise<RlRun> {
  const { seed, arm, start, base } = request;
  const settings = request.rl.text;
  const task = await textTaskOf(request.task);
  const compute = await context.compute();
  const codec = await ChatCodec.open(start);
  const config = await readModelConfig(start);
  const planned = { ...plannedRl(settings, arm), ...longest(codec, task, settings) };
  requireTrainingMemory(compute, config, planned, 'rl.text.microBatchSize');
  const evaluator = await openEvaluator(request.task, start);
  const text = new TextModel(await loadModel(compute, start, context.signal), codec);
  const reference = needsReference(settings, arm) ? await loadModel(compute, base, context.signal) : null;
  return {
    settings,
    evaluator,
    // Of the layout of the start, which has the base's.
    save: textCheckpoints(start, request.dtype, context.signal),
    train: (hooks) => trainTextRl({ ...hooks, text, reference, task, settings, arm, seed }),
    dispose: () => {
      text.model.dispose();
      reference?.dispose();
    },
  };
}

/** Episodes whose prompts are looked at. */
const sampledEpisodes = 32;
/** Tokens of the longest prompt of a dialogue, and of an answer. */
function longest(codec: ChatCodec, task: TextTask, settings: TextRlSettings) {
  const prompts = Array.from({ length: sampledEpisodes }, (_, i) =>
    task.examples(task.trainingEpisode('inDist', new Philox('longest prompt', i))).map(({ prompt }) => prompt),
  ).flat();
  const first = Math.max(...prompts.map((prompt) => codec.promptIds(prompt).length));
  return { promptTokens: longestDialoguePrompt(first, settings), answerTokens: settings.maxNewTokens };
}
