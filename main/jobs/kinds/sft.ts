/** SFT on in-distribution examples; every checkpoint is evaluated on both splits as it is reached, and written. */
import type { z } from 'zod';
import { sftRequestSchema, type SftRequest, type stageOutputSchemas } from '../../contract/requests.ts';
import type { TrainingData } from '../../contract/samples.ts';
import { isTextTask } from '../../contract/settings.ts';
import { tokenEvaluator, type Evaluator } from '../../ml/evaluation/evaluator.ts';
import { openTask } from '../../ml/evaluation/evaluateModel.ts';
import { accuracyOf } from '../../ml/statistics/studyFacts.ts';
import { sftExamples, trainSft } from '../../ml/training/sft.ts';
import type { RunHooks } from '../../ml/training/trainingRun.ts';
import type { JobContext } from '../jobContext.ts';
import { readWeights, tokenCheckpoints, type SaveCheckpoint } from './checkpointFolders.ts';
import { checkpointKeeper } from './checkpointKeeper.ts';
import { evaluateAndKeep } from './keptAnswers.ts';
import { openSpectralDrift } from './spectralDrift.ts';
import { openTextSft } from './textSft.ts';
import { forgettingWatch, progressReporter, resumeStates } from './trainingProgress.ts';

const resumeEverySteps = 25;

/** What differs between tasks in tokens and in text. */
export interface SftRun {
  evaluator: Evaluator;
  save: SaveCheckpoint;
  /** Step 0 is there already. */
  baseIsKept: boolean;
  trainingData: TrainingData | null;
  train(hooks: RunHooks): Promise<unknown>;
  dispose(): void;
}

async function openTokenSft(context: JobContext, request: SftRequest): Promise<SftRun> {
  const { seed, task: taskSettings, base } = request;
  const { text: _, ...sft } = request.sft;
  const task = openTask(taskSettings);
  const { config, weights } = await readWeights(base);
  const compute = await context.compute();
  // the training loss is read on as many examples as a half of the evaluation has episodes
  const sample = sftExamples(task, sft, seed).slice(0, taskSettings.evaluationEpisodes / 2);
  return {
    evaluator: tokenEvaluator(taskSettings, sample),
    save: tokenCheckpoints(task),
    baseIsKept: false,
    trainingData: null,
    train: (hooks) => trainSft({ ...hooks, compute, config, weights, task, settings: sft, seed }),
    dispose: () => undefined,
  };
}

export async function kind(context: JobContext): Promise<z.infer<typeof stageOutputSchemas.sft>> {
  const request = sftRequestSchema.parse(context.request);
  const { task, sft: settings, base, outputFolder, keep } = request;
  const run = await (isTextTask(task.name) ? openTextSft : openTokenSft)(context, request);
  const start = run.baseIsKept ? base : null;
  const keeper = checkpointKeeper(context, { outputFolder, start, keep, episodes: task.evaluationEpisodes / 2 });
  const report = progressReporter(context, settings.steps, (step) => `SFT step ${step} of ${settings.steps}`);
  const watch = forgettingWatch(context);
  const { removeResumeState, ...resuming } = await resumeStates(
    context,
    isTextTask(task.name) ? null : resumeEverySteps,
  );
  const drift = settings.spectralDrift ? await openSpectralDrift(context, request) : null;
  try {
    await run.train({
      ...resuming,
      signal: context.signal,
      onMetrics: (step, values) => {
        context.emit({ type: 'metrics', step, values });
        report(step);
      },
      onCheckpoint: async (step, { model }) => {
        const evaluation = await evaluateAndKeep(context, run.evaluator, model, step, report);
        const { correct } = accuracyOf(evaluation, 'ood', 'select');
        const folder = await keeper.reached(step, correct, (to) => run.save(to, model));
        if (drift) {
          report(step, 'spectra');
          context.emit({ type: 'metrics', step, values: await drift.measure(model) });
        }
        context.emit({ type: 'evaluation', step, evaluation, ...(folder !== null && { folder }) });
        await watch(step, evaluation);
        report(step);
      },
    });
  } finally {
    run.dispose();
    await drift?.close();
  }
  await drift?.remove();
  await removeResumeState();
  return { checkpoints: keeper.kept(), peakStep: keeper.peakStep(), trainingData: run.trainingData };
}
