/** One RL run (an arm from one SFT checkpoint); every checkpoint is evaluated on both splits as it is reached, and written. */
import type { z } from 'zod';
import { rlRequestSchema, type RlRequest, type stageOutputSchemas } from '../../contract/requests.ts';
import { isTextTask, type RlSettings } from '../../contract/settings.ts';
import { tokenEvaluator, type Evaluator } from '../../ml/evaluation/evaluator.ts';
import { openTask } from '../../ml/evaluation/evaluateModel.ts';
import { accuracyOf } from '../../ml/statistics/studyFacts.ts';
import { trainPpo } from '../../ml/training/ppo.ts';
import type { RunHooks } from '../../ml/training/trainingRun.ts';
import type { JobContext } from '../jobContext.ts';
import { readWeights, tokenCheckpoints, type SaveCheckpoint } from './checkpointFolders.ts';
import { checkpointKeeper } from './checkpointKeeper.ts';
import { evaluateAndKeep } from './keptAnswers.ts';
import { openTextRl } from './textRl.ts';
import { forgettingWatch, jobFacts, progressReporter, resumeStates } from './trainingProgress.ts';

const resumeEverySteps = 5;

/** What differs between tasks in tokens and in text. */
export interface RlRun {
  settings: Pick<RlSettings, 'iterations' | 'algorithm'>;
  evaluator: Evaluator;
  save: SaveCheckpoint;
  train(hooks: RunHooks): Promise<unknown>;
  dispose(): void;
}

async function openTokenRl(context: JobContext, request: RlRequest): Promise<RlRun> {
  const { seed, arm } = request;
  const { text: _, ...settings } = request.rl;
  const task = openTask(request.task);
  const { config, weights } = await readWeights(request.start);
  const { weights: referenceWeights } = await readWeights(request.base);
  const compute = await context.compute();
  return {
    settings,
    evaluator: tokenEvaluator(request.task),
    save: tokenCheckpoints(task),
    train: (hooks) => trainPpo({ ...hooks, compute, config, weights, referenceWeights, task, settings, arm, seed }),
    dispose: () => undefined,
  };
}

export async function kind(context: JobContext): Promise<z.infer<typeof stageOutputSchemas.rl>> {
  const request = rlRequestSchema.parse(context.request);
  const isText = isTextTask(request.task.name);
  const run = await (isText ? openTextRl : openTokenRl)(context, request);
  const { iterations, algorithm } = run.settings;
  const name = algorithm.toUpperCase();
  const report = progressReporter(
    context,
    iterations,
    (iteration) => `${name} iteration ${iteration} of ${iterations}`,
  );
  /** What the start point offers to learn from: successRate and entropy of the first rollout. */
  const first = jobFacts(context, 'start');
  const { outputFolder, start, keep, task } = request;
  const keeper = checkpointKeeper(context, { outputFolder, start, keep, episodes: task.evaluationEpisodes / 2 });
  const watch = forgettingWatch(context);
  const { removeResumeState, ...resuming } = await resumeStates(context, isText ? null : resumeEverySteps);
  try {
    await run.train({
      ...resuming,
      signal: context.signal,
      onMetrics: async (step, values) => {
        if (step === 1) await first.note({ successRate: values['successRate']!, entropy: values['entropy']! });
        context.emit({ type: 'metrics', step, values });
        report(step);
      },
      onCheckpoint: async (step, { model }) => {
        const evaluation = await evaluateAndKeep(context, run.evaluator, model, step, report);
        const { correct } = accuracyOf(evaluation, 'ood', 'select');
        const folder = await keeper.reached(step, correct, (to) => run.save(to, model));
        context.emit({ type: 'evaluation', step, evaluation, ...(folder !== null && { folder }) });
        await watch(step, evaluation);
        report(step);
      },
    });
  } finally {
    run.dispose();
  }
  await removeResumeState();
  const checkpoints = keeper.kept();
  const { successRate, entropy } = first.facts;
  return {
    folder: checkpoints[String(iterations)]!,
    checkpoints,
    startRewardShare: successRate!,
    startEntropy: entropy!,
  };
}
