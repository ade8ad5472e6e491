/** One RL run (an arm from one SFT checkpoint), evaluated on both splits now and then; its end is written. */
import { join } from 'node:path';
import { rlRequestSchema, type stageOutputSchemas } from '../../contract/requests.ts';
import type { z } from 'zod';
import { episodeSets, evaluateModel, openTask } from '../../ml/evaluation/evaluateModel.ts';
import { trainPpo } from '../../ml/training/ppo.ts';
import type { JobContext } from '../jobContext.ts';
import { readWeights, stepFolderName, writeWeights } from './checkpointFolders.ts';
import { forgettingWatch, jobFacts, progressReporter, resumeStates } from './trainingProgress.ts';

const resumeEverySteps = 5;

export async function kind(context: JobContext): Promise<z.infer<typeof stageOutputSchemas.rl>> {
  const request = rlRequestSchema.parse(context.request);
  const { seed, rl: settings, arm, outputFolder } = request;
  const task = openTask(request.task);
  const sets = episodeSets(task, request.task);
  const start = await readWeights(request.start);
  const reference = await readWeights(request.base);
  const { iterations } = settings;
  const report = progressReporter(context, iterations, (iteration) => `PPO iteration ${iteration} of ${iterations}`);
  /** What the start point offers to learn from: successRate and entropy of the first rollout. */
  const first = jobFacts(context, 'start');
  const watch = forgettingWatch(context);
  const folder = join(outputFolder, stepFolderName(iterations));
  const { resume, onResumePoint, removeResumeState } = await resumeStates(context);
  await trainPpo({
    compute: await context.compute(),
    config: start.config,
    weights: start.weights,
    referenceWeights: reference.weights,
    task,
    settings,
    arm,
    seed,
    signal: context.signal,
    resumeEverySteps,
    resume,
    onResumePoint,
    onMetrics: async (step, values) => {
      if (step === 1) await first.note({ successRate: values['successRate']!, entropy: values['entropy']! });
      context.emit({ type: 'metrics', step, values });
      report(step);
    },
    onCheckpoint: async (step, { model }) => {
      const evaluation = await evaluateModel(model, task, sets);
      const kept = step === iterations ? { folder } : {};
      if (step === iterations) await writeWeights(folder, start.config, await model.readWeights(), task);
      context.emit({ type: 'evaluation', step, evaluation, ...kept });
      await watch(step, evaluation);
      report(step);
    },
  });
  await removeResumeState();
  return { folder, startRewardShare: first.facts['successRate']!, startEntropy: first.facts['entropy']! };
}
