/**
 * Pretraining on a stream of documents: the base model, which knows both rules and every piece of an answer, but not
 * the task's format. Fresh documents at every step, warm-up and cosine (miniature recipe, stage 0).
 */
import type { PretrainSettings } from '../../contract/settings.ts';
import { Philox } from '../random/philox.ts';
import type { WeightMap } from '../model/weights.ts';
import { pretrainSchedule } from './schedules.ts';
import { stackRows, supervisedTraining } from './supervised.ts';
import {
  type TrainingRequest,
  checkFinite,
  openRunModel,
  runState,
  throwIfCancelled,
  tokenClock,
} from './trainingRun.ts';

/** @returns the weights after the last step. @throws CANCELLED | NOT_FINITE */
export async function pretrain(request: TrainingRequest<PretrainSettings>): Promise<WeightMap> {
  const { task, settings, seed, signal } = request;
  const { steps, batchSize, learningRate, warmupSteps, finalLearningRateShare, maxGradNorm } = settings;
  const model = openRunModel(request);
  try {
    let step = 0;
    const update = supervisedTraining(model, task, { batchSize, maxGradNorm, weightDecay: 0 });
    const { trainer, load } = runState(request, model, 'pretrain', () => ({ step }));
    step = (await load())?.['step'] ?? 0;

    const documents = (at: number): Int32Array => {
      const random = new Philox(seed, 'pretrain', at);
      return stackRows(Array.from({ length: batchSize }, () => task.pretrainingDocument(settings, random)));
    };
    const tokensPerSecond = tokenClock();
    let batch = documents(step);
    while (step < steps) {
      throwIfCancelled(signal);
      const rate = learningRate * pretrainSchedule(step, warmupSteps, steps, finalLearningRateShare);
      const running = update(batch, step + 1, rate);
      // The next documents are made while the backend computes.
      batch = documents(step + 1);
      const { loss, gradNorm } = await running;
      step++;
      checkFinite(step, { loss, gradNorm });
      await request.onMetrics?.(step, {
        loss,
        gradNorm,
        learningRate: rate,
        tokensPerSecond: tokensPerSecond(batch.length),
      });
      if (request.resumeEverySteps && step % request.resumeEverySteps === 0)
        await request.onResumePoint?.(step, trainer);
    }
    await request.onCheckpoint?.(step, trainer);
    return await model.readWeights();
  } finally {
    model.dispose();
  }
}
