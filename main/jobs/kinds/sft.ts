/** SFT on in-distribution examples; every checkpoint is written and evaluated on both splits as it is reached. */
import { join } from 'node:path';
import { sftRequestSchema } from '../../contract/requests.ts';
import { episodeSets, evaluateModel, openTask } from '../../ml/evaluation/evaluateModel.ts';
import { peakOf } from '../../ml/statistics/detectors.ts';
import { accuracyOf } from '../../ml/statistics/studyFacts.ts';
import { sftExamples, trainSft } from '../../ml/training/sft.ts';
import { spectralDrift } from '../../ml/training/spectralDrift.ts';
import type { JobContext } from '../jobContext.ts';
import { readWeights, stepFolderName, writeWeights } from './checkpointFolders.ts';
import { forgettingWatch, jobFacts, progressReporter, resumeStates } from './trainingProgress.ts';

const resumeEverySteps = 25;

export async function kind(context: JobContext): Promise<{ checkpoints: Record<string, string>; peakStep: number }> {
  const { seed, task: taskSettings, sft: settings, base, outputFolder } = sftRequestSchema.parse(context.request);
  const task = openTask(taskSettings);
  const sets = episodeSets(task, taskSettings);
  // the training loss is read on as many examples as a half of the evaluation has episodes
  const trainingSample = sftExamples(task, settings, seed).slice(0, taskSettings.evaluationEpisodes / 2);
  const { config, weights } = await readWeights(base);
  const report = progressReporter(context, settings.steps, (step) => `SFT step ${step} of ${settings.steps}`);
  const folderOf = (step: number): string => join(outputFolder, stepFolderName(step));
  /** OOD answers right on the selection half, by step. */
  const selected = jobFacts(context, 'selection');
  const watch = forgettingWatch(context);
  const drift = settings.spectralDrift ? spectralDrift(config, weights) : null;
  const { resume, onResumePoint, removeResumeState } = await resumeStates(context);
  await trainSft({
    compute: await context.compute(),
    config,
    weights,
    task,
    settings,
    seed,
    signal: context.signal,
    resumeEverySteps,
    resume,
    onResumePoint,
    onMetrics: (step, values) => {
      context.emit({ type: 'metrics', step, values });
      report(step);
    },
    onCheckpoint: async (step, { model }) => {
      const evaluation = await evaluateModel(model, task, sets, trainingSample);
      const now = await model.readWeights();
      await writeWeights(folderOf(step), config, now, task);
      if (drift) context.emit({ type: 'metrics', step, values: drift(now) });
      await selected.note({ [step]: accuracyOf(evaluation, 'ood', 'select').correct });
      context.emit({ type: 'evaluation', step, evaluation, folder: folderOf(step) });
      await watch(step, evaluation);
      report(step);
    },
  });
  await removeResumeState();
  const checkpoints = Object.fromEntries(settings.checkpoints.map((step) => [String(step), folderOf(step)]));
  const n = taskSettings.evaluationEpisodes / 2;
  const curve = Object.entries(selected.facts).map(([step, correct]) => ({ step: Number(step), correct, n }));
  return { checkpoints, peakStep: peakOf(curve).step };
}
