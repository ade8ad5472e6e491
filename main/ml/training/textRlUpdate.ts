/** One update of RL in text by a minibatch of answers, its gradient gathered over micro-batches of about equal length. */
import type { HostArray } from '../../compute/session.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { type AnswerShape, answerSpecs, answerValues } from '../text/answerBatch.ts';
import { clipCoefficient } from './adamW.ts';
import { normOf } from './gatheredOptimizer.ts';
import { layerMetrics, normsByLayer } from './layerNorms.ts';
import { microBatches } from './microBatches.ts';
import type { AnswerAction } from './textRollouts.ts';
import { type TextLearner, type TextUpdateTerms, gatherStep, referenceStep } from './textRlSteps.ts';
import { throwIfCancelled } from './trainingRun.ts';

/** An answer with what an update reads of it. */
export interface LearnedAnswer extends Pick<AnswerAction, 'prompt' | 'answer' | 'weights'> {
  /** [answer.length] */
  oldLogprobs: Float32Array;
  advantage: number;
  /** Null without a critic. */
  critic: { value: number; return: number } | null;
}

export interface TextUpdateRates {
  /** Numbers of this update, from 1. */
  policyUpdate: number;
  valueUpdate: number;
  learningRate: number;
  valueLearningRate: number;
}

/**
 * @param reference of the anchor; null where `terms` has none
 * @returns `update(answers of the minibatch, rates, layers: whether norms by layer are wanted)`, which gives the terms of
 *   the loss and the statistics of the minibatch
 */
export function textRlUpdate(
  learner: TextLearner,
  terms: TextUpdateTerms,
  reference: LanguageModel | null,
  padId: number,
  signal: AbortSignal | undefined,
) {
  const { model, policy, critic, settings } = learner;

  async function gather(answers: readonly LearnedAnswer[]): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    const tokens = tokenCount(answers);
    if (terms.policy) await policy.clear();
    await critic?.optimizer.clear();
    for (const { rows, shape } of microBatches(answers, settings.microBatchSize ?? answers.length)) {
      throwIfCancelled(signal);
      const own = rows.map((row) => answers[row]!);
      const inputs = {
        ...answerValues(own, shape, padId),
        ...actionValues(own, shape),
        tokenShare: Float32Array.of(tokenCount(own) / tokens),
        answerShare: Float32Array.of(own.length / answers.length),
      };
      const distributions = await referenceValues(inputs, shape);
      const outputs = await gatherStep(learner, terms, shape).run({ ...inputs, ...distributions });
      for (const [name, { data }] of Object.entries(outputs)) sums[name] = (sums[name] ?? 0) + data[0]!;
    }
    return sums;
  }

  /** The base's distributions of one micro-batch at a time: those of all answers together would not fit. */
  async function referenceValues(
    inputs: Record<string, HostArray>,
    shape: AnswerShape,
  ): Promise<Record<string, HostArray>> {
    if (reference === null) return {};
    const read = Object.fromEntries(Object.keys(answerSpecs(shape)).map((name) => [name, inputs[name]!]));
    const outputs = await referenceStep(reference, shape, settings.rolloutTemperature).run(read);
    return { reference: outputs['logProbabilities']!.data };
  }

  return async (
    answers: readonly LearnedAnswer[],
    rates: TextUpdateRates,
    layers: boolean,
  ): Promise<Record<string, number>> => {
    const metrics = await gather(answers);
    const policySquares = terms.policy ? await policy.gradientSquares() : [];
    const criticSquares = critic === null ? [] : await critic.optimizer.gradientSquares();
    const gradNorm = normOf(policySquares, criticSquares);
    const clip = clipCoefficient(gradNorm, settings.maxGradNorm);
    await critic?.optimizer.apply(rates.valueUpdate, rates.valueLearningRate, clip, false);
    if (!terms.policy) return { ...metrics, gradNorm };
    const updateSquares = await policy.apply(rates.policyUpdate, rates.learningRate, clip, layers);
    if (!layers) return { ...metrics, gradNorm };
    return {
      ...{ ...metrics, gradNorm },
      ...layerMetrics('gradNorm', normsByLayer(model.config, policySquares)),
      ...layerMetrics('updateNorm', normsByLayer(model.config, updateSquares)),
    };
  };
}

const tokenCount = (answers: readonly LearnedAnswer[]): number =>
  answers.reduce((sum, { answer }) => sum + answer.length, 0);

/** The inputs of `gatherStep` that come with the answers. */
function actionValues(answers: readonly LearnedAnswer[], { rows, answer: columns }: AnswerShape) {
  const perToken = (valuesOf: (answer: LearnedAnswer) => ArrayLike<number>): Float32Array => {
    const out = new Float32Array(columns * rows);
    answers.forEach((one, row) => {
      const values = valuesOf(one);
      for (let t = 0; t < values.length; t++) out[t * rows + row] = values[t]!;
    });
    return out;
  };
  const perAnswer = (valueOf: (answer: LearnedAnswer) => number): Float32Array => {
    const out = new Float32Array(rows);
    answers.forEach((one, row) => (out[row] = valueOf(one)));
    return out;
  };
  const withCritic = answers.every(({ critic }) => critic !== null);
  return {
    weights: perToken(({ weights }) => weights),
    oldLogprobs: perToken(({ oldLogprobs }) => oldLogprobs),
    advantages: perAnswer(({ advantage }) => advantage),
    answers: perAnswer(() => 1),
    ...(withCritic && {
      returns: perAnswer(({ critic }) => critic!.return),
      oldValues: perAnswer(({ critic }) => critic!.value),
    }),
  };
}
