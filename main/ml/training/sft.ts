/**
 * Supervised fine-tuning on in-distribution examples in the task's format: a fixed set with one fixed answer each, seen
 * in epochs (paper, section 2; miniature recipe, stage 1). The loss counts answer tokens only.
 */
import { AppError } from '../../contract/errors.ts';
import type { SftSettings } from '../../contract/settings.ts';
import { Philox } from '../random/philox.ts';
import type { WeightMap } from '../model/weights.ts';
import type { Episode, Task } from '../tasks/task.ts';
import { rotationPenalty } from './rotationPenalty.ts';
import { sftSchedule } from './schedules.ts';
import { stackRows, supervisedTraining } from './supervised.ts';
import {
  type TrainingRequest,
  checkFinite,
  openRunModel,
  runState,
  throwIfCancelled,
  tokenClock,
} from './trainingRun.ts';

/** Norms by layer cost more ops than the rest of the optimizer. */
const layerNormsEverySteps = 10;

type TokenSftSettings = Omit<SftSettings, 'text'>;

/** The training set of a seed: the same at every call. */
export function sftExamples(task: Task, settings: TokenSftSettings, seed: number): Episode[] {
  return Array.from({ length: settings.examples }, (_, i) =>
    task.trainingEpisode('inDist', new Philox(seed, 'sft examples', i)),
  );
}

/** @returns the weights after the last step. @throws INVALID_REQUEST | CANCELLED | NOT_FINITE */
export async function trainSft(request: TrainingRequest<TokenSftSettings>): Promise<WeightMap> {
  const { task, settings, seed, signal } = request;
  const { batchSize, steps, learningRate, schedule, warmupSteps, weightDecay, maxGradNorm } = settings;
  const batchOf = sftBatches(task, settings, seed);
  const model = openRunModel(request);
  try {
    let step = 0;
    const { coefficient } = settings.rotationPenalty;
    const penalty =
      coefficient > 0
        ? { coefficient, value: rotationPenalty(model, request.weights, settings.rotationPenalty) }
        : undefined;
    const update = supervisedTraining(model, task, { batchSize, maxGradNorm, weightDecay, penalty });
    const { trainer, load } = runState(request, model, 'sft', () => ({ step }));
    step = (await load())?.['step'] ?? 0;

    const checkpoints = new Set(settings.checkpoints);
    const tokensPerSecond = tokenClock();
    for (;;) {
      throwIfCancelled(signal);
      if (checkpoints.has(step)) await request.onCheckpoint?.(step, trainer);
      if (step >= steps) break;
      const rate = learningRate * sftSchedule(step, schedule, warmupSteps, steps);
      const batch = batchOf(step);
      const withLayers = (step + 1) % layerNormsEverySteps === 0;
      const { layers, ...values } = await update(batch, step + 1, rate, withLayers);
      step++;
      checkFinite(step, { ...values });
      await request.onMetrics?.(step, {
        ...values,
        ...layers,
        learningRate: rate,
        tokensPerSecond: tokensPerSecond(batch.length),
      });
      if (request.resumeEverySteps && step % request.resumeEverySteps === 0)
        await request.onResumePoint?.(step, trainer);
    }
    return await model.readWeights();
  } finally {
    model.dispose();
  }
}

/** The batch of a step: consecutive rows of the epoch's permutation; a remainder smaller than a batch is left out. */
function sftBatches(task: Task, settings: TokenSftSettings, seed: number): (step: number) => Int32Array {
  const { examples: count, batchSize } = settings;
  const perEpoch = Math.floor(count / batchSize);
  if (perEpoch === 0) {
    const message = `The batch size ${batchSize} is larger than the ${count} examples.`;
    throw new AppError('INVALID_REQUEST', message, { hint: 'Lower the batch size or raise the number of examples.' });
  }
  const rows = sftExamples(task, settings, seed).map(({ prompt, answer }) => Int32Array.of(...prompt, ...answer));
  let epoch = -1;
  let order: Int32Array = new Int32Array();
  return (step) => {
    const wanted = Math.floor(step / perEpoch);
    if (wanted !== epoch) {
      epoch = wanted;
      order = new Philox(seed, 'sft order', epoch).permutation(count);
    }
    const start = (step % perEpoch) * batchSize;
    return stackRows(Array.from(order.subarray(start, start + batchSize), (row) => rows[row]!));
  };
}
