/**
 * Supervised fine-tuning of a checkpoint on prompts and answers in text, in the order of sft.ts: a fixed set with one fixed
 * answer each, seen in epochs; the loss counts the answer's tokens and the one that ends it. An update is made of
 * micro-batches of about equal length, so that a batch of any size fits into memory.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../../contract/errors.ts';
import type { SftSettings, TextSftSettings } from '../../contract/settings.ts';
import { tokenExample } from '../evaluation/textLosses.ts';
import { Philox } from '../random/philox.ts';
import type { TextExample } from '../tasks/textTask.ts';
import type { TokenExample } from '../text/answerBatch.ts';
import type { TextModel } from '../text/textModel.ts';
import { accumulatedUpdate } from './accumulatedUpdate.ts';
import { rotationPenalty } from './rotationPenalty.ts';
import { sftSchedule } from './schedules.ts';
import { checkFinite, type RunHooks, runState, throwIfCancelled, tokenClock } from './trainingRun.ts';

/** Norms by layer cost more ops than the rest of the optimizer. */
const layerNormsEverySteps = 10;

/** Of the settings of SFT, without those that only the job or the miniature need, those of a run in text beside them. */
export type TextSftRunSettings = Omit<SftSettings, 'examples' | 'endStep' | 'spectralDrift' | 'text'> &
  Omit<TextSftSettings, 'dataFile'>;

export interface TextSftRequest extends RunHooks {
  /** The model where the run starts, which is trained; a resumed run starts from it too. */
  text: TextModel;
  examples: readonly TextExample[];
  settings: TextSftRunSettings;
  seed: number;
}

/** Trains the request's model. @throws INVALID_REQUEST | CANCELLED | NOT_FINITE | OUT_OF_MEMORY */
export async function trainTextSft(request: TextSftRequest): Promise<void> {
  const { text, settings, seed, signal } = request;
  const { batchSize, steps, learningRate, schedule, warmupSteps, maxGradNorm } = settings;
  const batchOf = textBatches(text, request.examples, batchSize, seed);
  const { model } = text;
  const { coefficient } = settings.rotationPenalty;
  const penalty =
    coefficient > 0
      ? { coefficient, value: rotationPenalty(model, await model.readWeights(), settings.rotationPenalty) }
      : undefined;
  const { beta1, beta2, adamEps: eps, weightDecay, microBatchSize } = settings;
  const update = accumulatedUpdate(text, { beta1, beta2, eps, weightDecay, microBatchSize, maxGradNorm, penalty });

  let step = 0;
  const identity = { settings: { ...settings, data: digestOf(request.examples) }, seed, config: model.config };
  const { trainer, load } = runState({ ...identity, resume: request.resume }, model, 'sft', () => ({ step }));
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
    const tokens = batch.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0);
    await request.onMetrics?.(step, {
      ...values,
      ...layers,
      learningRate: rate,
      tokensPerSecond: tokensPerSecond(tokens),
    });
    if (request.resumeEverySteps && step % request.resumeEverySteps === 0) await request.onResumePoint?.(step, trainer);
  }
}

/** A run goes on with the data that it began with. */
const digestOf = (examples: readonly TextExample[]): string =>
  createHash('sha256').update(JSON.stringify(examples)).digest('hex');

/**
 * The batch of a step: consecutive rows of the epoch's permutation; a remainder smaller than a batch is left out. Each
 * example is tokenised when it is first asked for.
 * @throws INVALID_REQUEST fewer examples than a batch has
 */
function textBatches(
  { codec }: TextModel,
  examples: readonly TextExample[],
  batchSize: number,
  seed: number,
): (step: number) => TokenExample[] {
  const perEpoch = Math.floor(examples.length / batchSize);
  if (perEpoch === 0) {
    const message = `The batch size ${batchSize} is larger than the ${examples.length} examples.`;
    throw new AppError('INVALID_REQUEST', message, { hint: 'Lower the batch size or raise the number of examples.' });
  }
  const tokens = new Map<number, TokenExample>();
  const tokensOf = (row: number): TokenExample => {
    const known = tokens.get(row) ?? tokenExample(codec, examples[row]!);
    tokens.set(row, known);
    return known;
  };
  let epoch = -1;
  let order: Int32Array = new Int32Array();
  return (step) => {
    const wanted = Math.floor(step / perEpoch);
    if (wanted !== epoch) {
      epoch = wanted;
      order = new Philox(seed, 'sft order', epoch).permutation(examples.length);
    }
    const start = (step % perEpoch) * batchSize;
    return Array.from(order.subarray(start, start + batchSize), tokensOf);
  };
}
