/** One supervised update on answer tokens, shared by pretraining and SFT. */
import { AppError } from '../../contract/errors.ts';
import type { CompiledStep, Tensor } from '../../compute/session.ts';
import { prepareWeights } from '../model/decoder.ts';
import { type LanguageModel, answerNll } from '../model/languageModel.ts';
import { weightCatalogue } from '../model/weights.ts';
import type { Task } from '../tasks/task.ts';
import { AdamW, lossGradientsWith, miniatureAdamW } from './adamW.ts';
import { layerMetrics, layerNorms } from './layerNorms.ts';
import { maskedMean } from './ppoLoss.ts';

export interface SupervisedUpdate {
  /** Cross-entropy alone. */
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** Without its coefficient; absent without a penalty. */
  rotationPenalty?: number;
  /** `gradNormLayer<i>` and `updateNormLayer<i>`, when they were asked for. */
  layers?: Record<string, number>;
}

export interface SupervisedOptions {
  batchSize: number;
  maxGradNorm: number;
  weightDecay: number;
  /** Added to the loss, scalar (`rotationPenalty`). */
  penalty?: { coefficient: number; value: () => Tensor } | undefined;
}

/**
 * Cross-entropy averaged over the answer tokens of the batch that are no padding, AdamW, clipping by global norm.
 * @returns `update(sequences [batchSize, promptLength + answerLength], number of this update from 1, learning rate, layers:
 * whether norms by layer are wanted)`
 */
export function supervisedTraining(model: LanguageModel, task: Task, options: SupervisedOptions) {
  const { tf, config } = model;
  const { promptLength, padId } = task;
  const sequenceLength = promptLength + task.answerLength;
  const parameters = weightCatalogue(config).map(({ name }) => model.variable(name));
  const adamW = new AdamW(tf, model.session, 'adamW', parameters, {
    ...miniatureAdamW,
    weightDecay: options.weightDecay,
  });
  const specs = { sequences: { shape: [options.batchSize, sequenceLength], dtype: 'int32' as const }, ...adamW.inputs };

  const { penalty } = options;

  /** Norms by layer are a step of their own: most updates do without the ops. */
  const compiled = (layers: boolean): CompiledStep =>
    model.step(layers ? 'supervised update with layers' : 'supervised update', specs, (inputs) => {
      const { loss, gradients, kept } = lossGradientsWith(tf, parameters, () => {
        const weights = prepareWeights(tf, config, model.variable);
        const { nll, mask } = answerNll(tf, config, weights, inputs['sequences']!, promptLength, padId);
        const mean = maskedMean(tf, nll, mask);
        const kept: Record<string, Tensor> = {};
        if (penalty === undefined) return { loss: mean, kept };
        const turned = penalty.value();
        Object.assign(kept, { loss: mean, rotationPenalty: turned });
        return { loss: tf.add(mean, tf.mul(turned, penalty.coefficient)), kept };
      });
      const { gradNorm, updates } = adamW.apply(gradients, inputs, options.maxGradNorm);
      const outputs: Record<string, Tensor> = { loss, gradNorm, ...kept };
      if (!layers) return outputs;
      return {
        ...outputs,
        gradNorms: layerNorms(tf, config, gradients),
        updateNorms: layerNorms(tf, config, updates),
      };
    });

  return async (
    sequences: Int32Array,
    updateNumber: number,
    learningRate: number,
    layers = false,
  ): Promise<SupervisedUpdate> => {
    const outputs = await compiled(layers).run({ sequences, ...adamW.inputValues(updateNumber, learningRate) });
    const { loss, gradNorm, rotationPenalty, gradNorms, updateNorms } = outputs;
    return {
      loss: loss!.data[0]!,
      gradNorm: gradNorm!.data[0]!,
      ...(rotationPenalty ? { rotationPenalty: rotationPenalty.data[0]! } : {}),
      ...(gradNorms && updateNorms
        ? { layers: { ...layerMetrics('gradNorm', gradNorms.data), ...layerMetrics('updateNorm', updateNorms.data) } }
        : {}),
    };
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
