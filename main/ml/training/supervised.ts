/** One supervised update on answer tokens, shared by pretraining and SFT. */
import { AppError } from '../../contract/errors.ts';
import type { CompiledStep } from '../../compute/session.ts';
import { prepareWeights } from '../model/decoder.ts';
import { type LanguageModel, answerNll } from '../model/languageModel.ts';
import { weightCatalogue } from '../model/weights.ts';
import type { Task } from '../tasks/task.ts';
import { AdamW, lossGradients, miniatureAdamW } from './adamW.ts';
import { maskedMean } from './ppoLoss.ts';

export interface SupervisedUpdate {
  loss: number;
  /** Before clipping. */
  gradNorm: number;
}

/**
 * Cross-entropy averaged over the answer tokens of the batch that are no padding, AdamW, clipping by global norm.
 * @returns `update(sequences [batchSize, promptLength + answerLength], number of this update from 1, learning rate)`
 */
export function supervisedTraining(
  model: LanguageModel,
  task: Task,
  options: { batchSize: number; maxGradNorm: number; weightDecay: number },
) {
  const { tf, config } = model;
  const { promptLength, padId } = task;
  const sequenceLength = promptLength + task.answerLength;
  const parameters = weightCatalogue(config).map(({ name }) => model.variable(name));
  const adamW = new AdamW(tf, model.session, 'adamW', parameters, {
    ...miniatureAdamW,
    weightDecay: options.weightDecay,
  });
  const specs = { sequences: { shape: [options.batchSize, sequenceLength], dtype: 'int32' as const }, ...adamW.inputs };

  const step: CompiledStep = model.step('supervised update', specs, (inputs) => {
    const { loss, gradients } = lossGradients(tf, parameters, () => {
      const weights = prepareWeights(tf, config, model.variable);
      const { nll, mask } = answerNll(tf, config, weights, inputs['sequences']!, promptLength, padId);
      return maskedMean(tf, nll, mask);
    });
    return { loss, gradNorm: adamW.apply(gradients, inputs, options.maxGradNorm) };
  });

  return async (sequences: Int32Array, updateNumber: number, learningRate: number): Promise<SupervisedUpdate> => {
    const { loss, gradNorm } = await step.run({ sequences, ...adamW.inputValues(updateNumber, learningRate) });
    return { loss: loss!.data[0]!, gradNorm: gradNorm!.data[0]! };
  };
}

/** Row-major [rows, width] of equally long rows. */
export function stackRows(rows: readonly Int32Array[]): Int32Array {
  const width = rows[0]?.length ?? 0;
  const out = new Int32Array(rows.length * width);
  rows.forEach((row, index) => {
    if (row.length !== width)
      throw new AppError('SHAPE_MISMATCH', `Row ${index} has ${row.length} tokens, not ${width}.`);
    out.set(row, index * width);
  });
  return out;
}
