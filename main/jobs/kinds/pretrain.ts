/** Pretrains the base model of a study. */
import { join } from 'node:path';
import { pretrainRequestSchema } from '../../contract/requests.ts';
import { openTask } from '../../ml/evaluation/evaluateModel.ts';
import { modelConfigFromSettings } from '../../ml/model/modelConfig.ts';
import { initWeights } from '../../ml/model/weights.ts';
import { Philox } from '../../ml/random/philox.ts';
import { pretrain } from '../../ml/training/pretrain.ts';
import type { JobContext } from '../jobContext.ts';
import { writeWeights } from './checkpointFolders.ts';
import { progressReporter, resumeStates } from './trainingProgress.ts';

/** Steps between resume points: a few seconds of work. */
const resumeEverySteps = 100;
/** Steps between stored metrics; the curve has a thousand steps. */
const metricsEverySteps = 5;

export async function kind(context: JobContext): Promise<{ base: string }> {
  const { seed, task: taskSettings, model, pretrain: settings, outputFolder } = pretrainRequestSchema.parse(context.request); // prettier-ignore
  const task = openTask(taskSettings);
  const config = modelConfigFromSettings(model, task);
  const report = progressReporter(context, settings.steps, (step) => `Pretraining step ${step} of ${settings.steps}`);
  const { removeResumeState, ...resuming } = await resumeStates(context, resumeEverySteps);
  const weights = await pretrain({
    compute: await context.compute(),
    config,
    weights: initWeights(config, new Philox(seed, 'initial weights')),
    task,
    settings,
    seed,
    signal: context.signal,
    ...resuming,
    onMetrics: (step, values) => {
      if (step % metricsEverySteps === 0) context.emit({ type: 'metrics', step, values });
      report(step);
    },
  });
  const base = join(outputFolder, 'base');
  await writeWeights(base, config, weights, task);
  context.emit({ type: 'artifact', kind: 'checkpoint', path: base });
  await removeResumeState();
  return { base };
}
