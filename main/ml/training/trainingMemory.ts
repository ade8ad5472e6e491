/**
 * Memory of a training run in text before it starts, from the shape of the model: what stays (weights, moments, gradient)
 * and what one micro-batch holds until its gradient is made.
 */
import { AppError } from '../../contract/errors.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { parameterCount } from '../model/weights.ts';
import { lossRowBytes, trainingRowBytes } from '../text/batchMemory.ts';
import { type RowLengths, bucketLength } from '../text/lengthBuckets.ts';

/** TensorFlow itself, JavaScript, and compiled steps. */
const constantBytes = 600e6;
const bytesPerValue = 4;
/** Weights, two moments, the gathered gradient, and a micro-batch's own before it is gathered. */
const copiesOfModel = 5;
/** The arithmetic of one group of the optimizer. */
const optimizerBytes = 6 * bytesPerValue * 32e6;

export interface TrainingMemory {
  /** Bytes whatever the micro-batch. */
  model: number;
  /** Bytes of every row of a micro-batch. */
  row: number;
}

/** @param longest tokens of the longest prompt and of the longest answer */
export function trainingMemory(config: ModelConfig, longest: RowLengths): TrainingMemory {
  const shape = { prompt: bucketLength(longest.prompt), answer: bucketLength(longest.answer) };
  const parameters = parameterCount(config);
  const optimizer = Math.min(optimizerBytes, 6 * bytesPerValue * parameters);
  return {
    model: constantBytes + copiesOfModel * bytesPerValue * parameters + optimizer,
    row: Math.max(trainingRowBytes(config, shape), lossRowBytes(config, shape)),
  };
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** @throws OUT_OF_MEMORY with the numbers, and the rows at a time that would fit */
export function checkTrainingMemory(
  { model, row }: TrainingMemory,
  microBatchSize: number,
  availableBytes: number,
): void {
  const needed = model + microBatchSize * row;
  if (needed <= availableBytes) return;
  const rows = Math.floor((availableBytes - model) / row);
  const message = `Training ${microBatchSize} rows at a time takes about ${gigabytes(needed)} of memory (${gigabytes(model)} for the model, its gradient and the optimizer); ${gigabytes(availableBytes)} are free.`;
  const hint =
    rows >= 1
      ? `Set sft.microBatchSize to ${rows} or less; the batch and its result stay the same.`
      : 'Use a smaller model, a machine with more memory, or close other programs.';
  throw new AppError('OUT_OF_MEMORY', message, { hint });
}
