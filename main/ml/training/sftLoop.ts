/** What SFT does whatever its examples are made of: rows in epochs, the schedule, checkpoints, metrics, resume points. */
import { AppError } from '../../contract/errors.ts';
import type { SftSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { Philox } from '../random/philox.ts';
import { sftSchedule } from './schedules.ts';
import { type RunHooks, checkFinite, runState, throwIfCancelled, tokenClock } from './trainingRun.ts';

/** Norms by layer cost more ops than the rest of the optimizer. */
const layerNormsEverySteps = 10;

export interface SftLoop<Batch> extends RunHooks {
  model: LanguageModel;
  settings: Pick<SftSettings, 'steps' | 'learningRate' | 'schedule' | 'warmupSteps' | 'checkpoints'>;
  /** What has to be equal for a resumed run to be this one, beside the seed and the model's config. */
  identity: unknown;
  seed: number;
  /** The same at every call. */
  batchOf(step: number): Batch;
  tokensOf(batch: Batch): number;
  /** @param layers whether norms by layer are wanted. @returns values by their metric's name, and those norms */
  update(
    batch: Batch,
    updateNumber: number,
    learningRate: number,
    layers: boolean,
  ): Promise<{ loss: number; gradNorm: number; layers?: Record<string, number> }>;
}

/** Trains the model to the last step. @throws CANCELLED | NOT_FINITE; what `update` throws */
export async function runSft<Batch>(loop: SftLoop<Batch>): Promise<void> {
  const { model, settings, seed, resume, signal } = loop;
  const { steps, learningRate, schedule, warmupSteps } = settings;
  let step = 0;
  const request = { settings: loop.identity, seed, config: model.config, resume };
  const { trainer, load } = runState(request, model, 'sft', () => ({ step }));
  step = (await load())?.['step'] ?? 0;
  const checkpoints = new Set(settings.checkpoints);
  const tokensPerSecond = tokenClock();
  for (;;) {
    throwIfCancelled(signal);
    if (checkpoints.has(step)) await loop.onCheckpoint?.(step, trainer);
    if (step >= steps) break;
    const rate = learningRate * sftSchedule(step, schedule, warmupSteps, steps);
    const batch = loop.batchOf(step);
    const withLayers = (step + 1) % layerNormsEverySteps === 0;
    const { layers, ...values } = await loop.update(batch, step + 1, rate, withLayers);
    step++;
    checkFinite(step, values);
    await loop.onMetrics?.(step, {
      ...values,
      ...layers,
      learningRate: rate,
      tokensPerSecond: tokensPerSecond(loop.tokensOf(batch)),
    });
    if (loop.resumeEverySteps && step % loop.resumeEverySteps === 0) await loop.onResumePoint?.(step, trainer);
  }
}

/**
 * The rows of a step: consecutive ones of the epoch's permutation; a remainder smaller than a batch is left out.
 * @throws INVALID_REQUEST fewer examples than a batch has
 */
export function epochRows(examples: number, batchSize: number, seed: number): (step: number) => Int32Array {
  const perEpoch = Math.floor(examples / batchSize);
  if (perEpoch === 0) {
    const message = `The batch size ${batchSize} is larger than the ${examples} examples.`;
    throw new AppError('INVALID_REQUEST', message, { hint: 'Lower the batch size or raise the number of examples.' });
  }
  let epoch = -1;
  let order: Int32Array = new Int32Array();
  return (step) => {
    const wanted = Math.floor(step / perEpoch);
    if (wanted !== epoch) {
      epoch = wanted;
      order = new Philox(seed, 'sft order', epoch).permutation(examples);
    }
    const start = (step % perEpoch) * batchSize;
    return order.subarray(start, start + batchSize);
  };
}
