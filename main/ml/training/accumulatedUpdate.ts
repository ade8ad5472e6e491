/**
 * One AdamW update on prompts and answers of any lengths, with the gradient gathered over micro-batches. The loss is the
 * mean over all answer tokens of the batch: each micro-batch adds the sum over its own tokens divided by the number in the
 * whole batch, so the gathered gradient is that of the batch at once, however it is cut.
 */
import type { CompiledStep, HostTensor, Tensor, TensorSpec } from '../../compute/session.ts';
import { AppError } from '../../contract/errors.ts';
import { prepareWeights } from '../model/decoder.ts';
import { weightCatalogue } from '../model/weights.ts';
import {
  type AnswerShape,
  type TokenExample,
  answerLosses,
  answerSpecs,
  answerValues,
  countedTokens,
} from '../text/answerBatch.ts';
import type { TextModel } from '../text/textModel.ts';
import { type AdamWSettings, clipCoefficient, lossGradients } from './adamW.ts';
import { GatheredOptimizer, normOf } from './gatheredOptimizer.ts';
import { layerMetrics, normsByLayer } from './layerNorms.ts';
import { microBatches } from './microBatches.ts';

export interface AccumulatedOptions extends AdamWSettings {
  /** Rows of a micro-batch at most. */
  microBatchSize: number;
  maxGradNorm: number;
  /** Added to the loss once an update, scalar (`rotationPenalty`). */
  penalty?: { coefficient: number; value: () => Tensor } | undefined;
}

export interface AccumulatedResult {
  /** Mean cross-entropy of the batch's answer tokens, without the penalty. */
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** Without its coefficient; absent without a penalty. */
  rotationPenalty?: number;
  /** Answer tokens of the batch. */
  answerTokens: number;
  /** `gradNormLayer<i>` and `updateNormLayer<i>`, when they were asked for. */
  layers?: Record<string, number>;
}

/** @returns `update(examples, number of this update from 1, learning rate, layers: whether norms by layer are wanted)` */
export function accumulatedUpdate(text: TextModel, options: AccumulatedOptions) {
  const { model, codec } = text;
  const { tf, config } = model;
  const names = weightCatalogue(config).map(({ name }) => name);
  const optimizer = new GatheredOptimizer(model, 'adamW', names, options);
  const { parameters } = optimizer;

  /** Loss of a micro-batch, its gradient gathered. */
  const gatherStep = (shape: AnswerShape): CompiledStep => {
    const specs: Record<string, TensorSpec> = { ...answerSpecs(shape), share: { shape: [], dtype: 'float32' } };
    return model.step(`gather ${shape.prompt}`, specs, (inputs) => {
      const { loss, gradients } = lossGradients(tf, parameters, () => {
        const weights = prepareWeights(tf, config, model.variable);
        return tf.mul(tf.sum(answerLosses(tf, config, weights, inputs, shape.prompt)), inputs['share']!);
      });
      optimizer.gather(gradients);
      return { loss };
    });
  };

  /** The penalty's gradient joins what was gathered. */
  const penaltyStep = ({ coefficient, value }: NonNullable<AccumulatedOptions['penalty']>): CompiledStep =>
    model.step('gather penalty', {}, () => {
      const { loss, gradients } = lossGradients(tf, parameters, value);
      optimizer.gather(gradients.map((gradient) => tf.mul(gradient, coefficient))); // prettier-ignore
      return { loss };
    });

  async function gather(examples: readonly TokenExample[], answerTokens: number): Promise<number> {
    const share = Float32Array.of(1 / answerTokens);
    let loss = 0;
    await optimizer.clear();
    for (const { rows, shape } of microBatches(examples, options.microBatchSize)) {
      const values = answerValues(rows.map((row) => examples[row]!), shape, codec.padId); // prettier-ignore
      loss += lossOf(await gatherStep(shape).run({ ...values, share }));
    }
    return loss;
  }

  return async (
    examples: readonly TokenExample[],
    updateNumber: number,
    learningRate: number,
    layers = false,
  ): Promise<AccumulatedResult> => {
    const answerTokens = examples.reduce((sum, example) => sum + countedTokens(example), 0);
    if (answerTokens === 0) throw new AppError('INVALID_REQUEST', 'The batch has no answer tokens to learn.');
    const loss = await gather(examples, answerTokens);
    const { penalty } = options;
    const turned = penalty ? lossOf(await penaltyStep(penalty).run({})) : null;
    const gradientSquares = await optimizer.gradientSquares();
    const gradNorm = normOf(gradientSquares);
    const clip = clipCoefficient(gradNorm, options.maxGradNorm);
    const updateSquares = await optimizer.apply(updateNumber, learningRate, clip, layers);
    return {
      ...{ loss, gradNorm, answerTokens },
      ...(turned !== null && { rotationPenalty: turned }),
      ...(layers && {
        layers: {
          ...layerMetrics('gradNorm', normsByLayer(config, gradientSquares)),
          ...layerMetrics('updateNorm', normsByLayer(config, updateSquares)),
        },
      }),
    };
  };
}

const lossOf = ({ loss }: Record<string, HostTensor>): number => loss!.data[0]!;
