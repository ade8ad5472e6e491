/** SFT of a checkpoint on a task in text: its data, the memory that it takes, and its model. */
import type { SftRequest } from '../../contract/requests.ts';
import { AppError } from '../../contract/errors.ts';
import { openTextEvaluator } from '../../ml/evaluation/evaluator.ts';
import { tokenExample } from '../../ml/evaluation/textLosses.ts';
import { loadModel, readModelConfig } from '../../ml/model/modelFolder.ts';
import { readSftFile, sftExamples, type SftImport } from '../../ml/tasks/sftData.ts';
import type { TextExample, TextTask } from '../../ml/tasks/textTask.ts';
import { textTaskOf } from '../../ml/tasks/textTasks.ts';
import { ChatCodec } from '../../ml/text/chatCodec.ts';
import { TextModel } from '../../ml/text/textModel.ts';
import { plannedSft } from '../../ml/training/plannedTraining.ts';
import { trainTextSft } from '../../ml/training/textSft.ts';
import type { JobContext } from '../jobContext.ts';
import { physicalCores } from '../physicalCores.ts';
import { textCheckpoints } from './checkpointFolders.ts';
import type { SftRun } from './sft.ts';
import { requireTrainingMemory } from './trainingMemory.ts';

export async function openTextSft(
  context: JobContext,
  { seed, task: taskSettings, sft, base, dtype }: SftRequest,
): Promise<SftRun> {
  const task = await textTaskOf(taskSettings);
  const data = await sftData(context, task, seed, sft);
  const { examples } = data;
  const codec = await ChatCodec.open(base);
  const compute = await context.compute();
  const config = await readModelConfig(base);
  const planned = { ...plannedSft(config, sft, physicalCores()), ...longest(codec, examples) };
  requireTrainingMemory(compute, config, planned, 'sft.text.microBatchSize');
  const evaluator = await openTextEvaluator(taskSettings, base, examples);
  const text = new TextModel(await loadModel(compute, base, context.signal), codec);
  return {
    evaluator,
    save: textCheckpoints(base, dtype, context.signal),
    baseIsKept: true,
    trainingData: {
      file: sft.text.dataFile,
      examples: examples.length,
      epochs: (sft.steps * sft.batchSize) / examples.length,
      badLines: data.errorCount,
      ignoredLines: data.ignoredLines,
      overlap: evaluator.overlap!,
    },
    train: (hooks) => trainTextSft({ ...hooks, text, examples, settings: { ...sft, ...sft.text }, seed }),
    dispose: () => text.model.dispose(),
  };
}

/** Of a file, whose bad lines are said and left out; or generated. */
async function sftData(
  context: JobContext,
  task: TextTask,
  seed: number,
  { examples: count, text: { dataFile } }: SftRequest['sft'],
): Promise<SftImport> {
  if (dataFile === null) {
    return { examples: sftExamples(task, 'inDist', count, seed), errors: [], errorCount: 0, ignoredLines: 0 };
  }
  const data = await readSftFile(dataFile);
  const { examples, errors, errorCount } = data;
  if (errorCount > 0) {
    const lines = errors.map(({ line, message }) => `line ${line}: ${message}`).join(' ');
    const text = `${dataFile}: ${errorCount} lines are left out. ${lines}`;
    context.emit({ type: 'log', level: 'warn', text });
  }
  if (examples.length === 0)
    throw new AppError('INVALID_REQUEST', `${dataFile} holds no example that can be read.`, {
      hint: errors[0]?.message ?? 'It takes one {"messages": [...]} a line.',
    });
  return data;
}

/** Examples that are tokenised to find the longest: characters tell well enough which ones they are. */
const tokenisedForLength = 32;

/** Tokens of the longest prompt and of the longest answer. */
function longest(codec: ChatCodec, examples: readonly TextExample[]) {
  const chars = ({ prompt, answer }: TextExample): number =>
    prompt.reduce((sum, { content }) => sum + content.length, answer.text.length);
  const some = examples.toSorted((a, b) => chars(b) - chars(a)).slice(0, tokenisedForLength);
  const tokens = some.map((example) => tokenExample(codec, example));
  return {
    promptTokens: Math.max(...tokens.map(({ prompt }) => prompt.length)),
    answerTokens: Math.max(...tokens.map(({ answer }) => answer.length)),
  };
}
