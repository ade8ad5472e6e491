/**
 * One AdamW update on prompts and answers of any lengths, with the gradient gathered over micro-batches. The loss is the
 * mean over all answer tokens of the batch: each micro-batch adds the sum over its own tokens divided by the number in the
 * whole batch, so the gathered gradient is that of the batch at once, however it is cut.
 *
 * The optimizer goes through the weights in groups, a step each: beside weights, moments and gradient there is the
 * arithmetic of one group in memory, not that of the model.
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
import { batchSize, lengthBuckets } from '../text/lengthBuckets.ts';
import type { TextModel } from '../text/textModel.ts';
import { AdamW, type AdamWSettings, clipCoefficient, lossGradients } from './adamW.ts';
import { layerMetrics, normsByLayer } from './layerNorms.ts';

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

/** Elements of a group of weights, where a single one does not have more. */
const groupElements = 32e6;

interface WeightGroup {
  /** Indices in the catalogue. */
  members: number[];
  adamW: AdamW;
}

/** @returns `update(examples, number of this update from 1, learning rate, layers: whether norms by layer are wanted)` */
export function accumulatedUpdate(text: TextModel, options: AccumulatedOptions) {
  const { model, codec } = text;
  const { tf, config, session } = model;
  const catalogue = weightCatalogue(config);
  const parameters = catalogue.map(({ name }) => model.variable(name));
  const groups = weightGroups(parameters.map(({ size }) => size)).map((members, i): WeightGroup => {
    const own = members.map((index) => parameters[index]!);
    return { members, adamW: new AdamW(tf, session, `adamW${i}`, own, options) };
  });
  /** The gradient so far; no part of the run's state, because between two updates there is none. */
  const gathered = catalogue.map(({ name, shape }) => session.scratch(`gradient ${name}`, shape));

  /** Loss of a micro-batch, its gradient gathered. The first one of an update replaces what was gathered before. */
  const gatherStep = (shape: AnswerShape, first: boolean): CompiledStep => {
    const specs: Record<string, TensorSpec> = { ...answerSpecs(shape), share: { shape: [], dtype: 'float32' } };
    return model.step(`gather ${shape.prompt} ${first ? 'first' : 'further'}`, specs, (inputs) => {
      const { loss, gradients } = lossGradients(tf, parameters, () => {
        const weights = prepareWeights(tf, config, model.variable);
        return tf.mul(tf.sum(answerLosses(tf, config, weights, inputs, shape.prompt)), inputs['share']!);
      });
      gradients.forEach((gradient, i) => {
        const sum = gathered[i]!;
        sum.assign(first ? gradient : tf.add(sum, gradient));
      });
      return { loss };
    });
  };

  /** The penalty's gradient joins what was gathered. */
  const penaltyStep = ({ coefficient, value }: NonNullable<AccumulatedOptions['penalty']>): CompiledStep =>
    model.step('gather penalty', {}, () => {
      const { loss, gradients } = lossGradients(tf, parameters, value);
      gradients.forEach((gradient, i) => gathered[i]!.assign(tf.add(gathered[i]!, tf.mul(gradient, coefficient))));
      return { loss };
    });

  const squaresStep = (): CompiledStep => model.step('gradient squares', {}, () => ({ squares: squares(gathered) }));

  const applyStep = ({ members, adamW }: WeightGroup, layers: boolean): CompiledStep => {
    const specs: Record<string, TensorSpec> = { ...adamW.inputs, clip: { shape: [], dtype: 'float32' } };
    return model.step(`apply ${adamW.name}${layers ? ' with squares' : ''}`, specs, (inputs) => {
      const clipped = members.map((index) => tf.mul(gathered[index]!, inputs['clip']!));
      const { updates } = adamW.apply(clipped, inputs, null);
      const outputs: Record<string, Tensor> = layers ? { squares: squares(updates) } : {};
      return outputs;
    });
  };
  const squares = (tensors: readonly Tensor[]): Tensor => tf.stack(tensors.map((one) => tf.sum(tf.square(one))));

  async function gather(examples: readonly TokenExample[], answerTokens: number): Promise<number> {
    const share = Float32Array.of(1 / answerTokens);
    const lengths = examples.map(({ prompt, answer }) => ({ prompt: prompt.length, answer: answer.length }));
    let loss = 0;
    for (const [index, { rows, prompt, answer }] of lengthBuckets(lengths, () => options.microBatchSize).entries()) {
      // Remainders share steps: rows without an example count for nothing.
      const shape: AnswerShape = { rows: Math.min(batchSize(rows.length), options.microBatchSize), prompt, answer };
      const values = answerValues(rows.map((row) => examples[row]!), shape, codec.padId); // prettier-ignore
      loss += valueOf(await gatherStep(shape, index === 0).run({ ...values, share }), 'loss')[0]!;
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
    const turned = penalty ? valueOf(await penaltyStep(penalty).run({}), 'loss')[0]! : null;
    const gradientSquares = valueOf(await squaresStep().run({}), 'squares');
    const gradNorm = Math.sqrt(gradientSquares.reduce((sum, square) => sum + square, 0));
    const clip = Float32Array.of(clipCoefficient(gradNorm, options.maxGradNorm));
    const updateSquares = new Float64Array(parameters.length);
    for (const group of groups) {
      const inputs = { ...group.adamW.inputValues(updateNumber, learningRate), clip };
      const outputs = await applyStep(group, layers).run(inputs);
      if (layers) valueOf(outputs, 'squares').forEach((square, i) => (updateSquares[group.members[i]!] = square));
    }
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

const valueOf = (outputs: Record<string, HostTensor>, name: string): Float32Array =>
  outputs[name]!.data as Float32Array;

/** Consecutive weights together, up to `groupElements`. */
function weightGroups(sizes: readonly number[]): number[][] {
  const groups: number[][] = [];
  let elements = Infinity;
  sizes.forEach((size, index) => {
    if (elements + size > groupElements) {
      groups.push([]);
      elements = 0;
    }
    groups.at(-1)!.push(index);
    elements += size;
  });
  return groups;
}
