/**
 * The compiled steps of RL in text: old log-probabilities and values of answers, the base's distributions, and the gradient
 * of a micro-batch. All distributions are those that answers are drawn from, at the rollouts' temperature.
 */
import type { CompiledStep, Tensor, TensorSpec } from '../../compute/session.ts';
import type { TextRlSettings } from '../../contract/settings.ts';
import { finalHidden, outputLogits, prepareWeights } from '../model/decoder.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { type AnswerShape, type TokenExample, answerSpecs, copyAnswers, readAnswers } from '../text/answerBatch.ts';
import type { TextModel } from '../text/textModel.ts';
import { lossGradientsWith } from './adamW.ts';
import type { AnswerValueHead } from './answerValueHead.ts';
import type { GatheredOptimizer } from './gatheredOptimizer.ts';
import {
  actionLogprobs,
  anchorKl,
  logSoftmaxRows,
  maskedMean,
  policyLoss,
  ratioStatistics,
  tokenEntropies,
  valueLoss,
} from './ppoLoss.ts';

/** Log-probabilities over the vocabulary where answer tokens are predicted, and hidden states of the last prompt tokens. */
function readPolicy(model: LanguageModel, inputs: Record<string, Tensor>, shape: AnswerShape, temperature: number) {
  const { tf, config } = model;
  const weights = prepareWeights(tf, config, model.variable);
  const { normalized, targets } = readAnswers(tf, config, weights, inputs, shape.prompt);
  const logits = outputLogits(tf, weights, normalized);
  const prompts = tf.slice(normalized, [0, 0], [shape.rows, config.hiddenSize]);
  return {
    targets,
    /** [answer * rows, vocab] */
    logProbabilities: logSoftmaxRows(tf, temperature === 1 ? logits : tf.div(logits, temperature)),
    /** [rows, hidden] */
    hidden: finalHidden(tf, weights, prompts),
  };
}

export interface AnswerScores {
  /** For each example [answer.length]. */
  logprobs: Float32Array[];
  /** At the last prompt token of each example; zeros without a critic. */
  values: Float32Array;
}

/** @throws what `signal` was aborted with, between two batches */
export async function scoreAnswers(
  text: TextModel,
  head: AnswerValueHead | null,
  temperature: number,
  examples: readonly TokenExample[],
  signal: AbortSignal | undefined,
): Promise<AnswerScores> {
  const { model } = text;
  const { tf } = model;
  const stepOf = (shape: AnswerShape): CompiledStep =>
    model.step(`rl scoring ${shape.prompt}`, answerSpecs(shape), (inputs) => {
      const { targets, logProbabilities, hidden } = readPolicy(model, inputs, shape, temperature);
      const outputs: Record<string, Tensor> = { logprobs: actionLogprobs(tf, logProbabilities, targets) };
      if (head !== null) outputs['values'] = head.values(hidden);
      return outputs;
    });
  const logprobs = examples.map(({ answer }) => new Float32Array(answer.length));
  const values = new Float32Array(examples.length);
  const take: Parameters<TextModel['readAnswers']>[2] = (outputs, shape, rows) => {
    copyAnswers(outputs['logprobs']!, shape, rows, logprobs);
    if (head !== null) rows.forEach((row, i) => (values[row] = outputs['values']!.data[i]!));
  };
  await text.readAnswers(examples, stepOf, take, { signal });
  return { logprobs, values };
}

/** A frozen model's log-probabilities where answer tokens are predicted: `logProbabilities` [answer * rows, vocab], token-major. */
export function referenceStep(reference: LanguageModel, shape: AnswerShape, temperature: number): CompiledStep {
  return reference.step(`rl reference ${shape.prompt}`, answerSpecs(shape), (inputs) => {
    return { logProbabilities: readPolicy(reference, inputs, shape, temperature).logProbabilities };
  });
}

export interface TextUpdateTerms {
  /** False while only the critic learns. */
  policy: boolean;
  reward: boolean;
  /** 0: no reference is read. */
  anchorCoef: number;
}

/** What learns, and by what. */
export interface TextLearner {
  model: LanguageModel;
  policy: GatheredOptimizer;
  /** Null without a critic. */
  critic: { head: AnswerValueHead; optimizer: GatheredOptimizer } | null;
  settings: TextRlSettings;
}

/**
 * The gradient of a micro-batch, gathered:
 *   L = L_clip - entCoef * H + anchorCoef * KL(reference || policy) + vfCoef * L_value
 * Means are over the answers or the tokens of the whole minibatch: a micro-batch's own means count by its share of them.
 * While only the critic learns its gradient stays in its head.
 *
 * Inputs beside `answerSpecs`: `weights` (0 at padding) and `oldLogprobs` [answer, rows], token-major; `advantages`,
 * `answers` (1 = an answer stands in this row) [rows]; `tokenShare`, `answerShare` of the minibatch; with a critic
 * `returns` and `oldValues` [rows]; with an anchor `reference` [answer * rows, vocab].
 * Outputs: the terms and statistics, each times its share, to be summed over the micro-batches.
 */
export function gatherStep(
  { model, policy, critic, settings }: TextLearner,
  terms: TextUpdateTerms,
  shape: AnswerShape,
): CompiledStep {
  const { tf } = model;
  const variables = [...(terms.policy ? policy.parameters : []), ...(critic?.optimizer.parameters ?? [])];
  const anchored = terms.policy && terms.anchorCoef > 0;

  const forward = (inputs: Record<string, Tensor>) => {
    const { targets, logProbabilities, hidden } = readPolicy(model, inputs, shape, settings.rolloutTemperature);
    const shareOf = { token: inputs['tokenShare']!, answer: inputs['answerShare']! };
    const mask = inputs['answerMask']!.flatten();
    const logratios = tf.sub(actionLogprobs(tf, logProbabilities, targets), inputs['oldLogprobs']!.flatten());
    const action = actionTerms(logratios, mask, inputs);
    const share = shareOf[settings.actionUnit];
    const { kl3, clipFraction } = ratioStatistics(tf, action.logratio, action.mask, settings.clipCoef);
    const entropy = tf.mul(maskedMean(tf, tokenEntropies(tf, logProbabilities), mask), shareOf.token);
    const kept: Record<string, Tensor> = {
      entropy,
      approxKl: tf.mul(kl3, share),
      clipFraction: tf.mul(clipFraction, share),
    };
    const losses: Tensor[] = [];
    if (terms.reward) {
      const loss = policyLoss(tf, action.logratio, action.advantages, action.mask, settings.clipCoef);
      kept['policyLoss'] = tf.mul(loss, share);
      if (terms.policy) losses.push(kept['policyLoss']);
    }
    if (terms.policy && settings.entCoef > 0) losses.push(tf.mul(entropy, -settings.entCoef));
    if (anchored) {
      kept['anchorKl'] = tf.mul(anchorKl(tf, inputs['reference']!, logProbabilities, mask, mask), shareOf.token);
      losses.push(tf.mul(kept['anchorKl'], terms.anchorCoef));
    }
    if (critic !== null) {
      const { clipCoef, clipValueLoss, vfCoef } = settings;
      const clip = clipValueLoss ? { oldValues: inputs['oldValues']!, clipCoef } : undefined;
      const loss = valueLoss(tf, critic.head.values(hidden), inputs['returns']!, inputs['answers']!, clip);
      kept['valueLoss'] = tf.mul(loss, shareOf.answer);
      losses.push(tf.mul(kept['valueLoss'], vfCoef));
    }
    return { loss: tf.addN(losses), kept };
  };

  /** What the ratio is of: sums over whole answers, or single tokens, which share their answer's advantage. */
  const actionTerms = (logratios: Tensor, mask: Tensor, inputs: Record<string, Tensor>) => {
    const [weights, advantages] = [inputs['weights']!, inputs['advantages']!];
    if (settings.actionUnit === 'token')
      return { logratio: logratios, advantages: tf.mul(weights, advantages).flatten(), mask };
    const logratio = tf.sum(tf.mul(logratios.reshape(weights.shape), weights), 0);
    return { logratio, advantages, mask: inputs['answers']! };
  };

  const specs = updateSpecs(shape, critic !== null, anchored ? model.config.vocabSize : null);
  const name = `rl gather ${shape.prompt} ${JSON.stringify(terms)}`;
  return model.step(name, specs, (inputs) => {
    const { gradients, kept } = lossGradientsWith(tf, variables, () => forward(inputs));
    const ofPolicy = terms.policy ? policy.parameters.length : 0;
    if (terms.policy) policy.gather(gradients.slice(0, ofPolicy));
    critic?.optimizer.gather(gradients.slice(ofPolicy));
    return kept;
  });
}

function updateSpecs(shape: AnswerShape, critic: boolean, referenceVocab: number | null): Record<string, TensorSpec> {
  const { rows, answer } = shape;
  const perToken: TensorSpec = { shape: [answer, rows], dtype: 'float32' };
  const perAnswer: TensorSpec = { shape: [rows], dtype: 'float32' };
  const scalar: TensorSpec = { shape: [], dtype: 'float32' };
  return {
    ...answerSpecs(shape),
    ...{ weights: perToken, oldLogprobs: perToken, advantages: perAnswer, answers: perAnswer },
    ...{ tokenShare: scalar, answerShare: scalar },
    ...(critic && { returns: perAnswer, oldValues: perAnswer }),
    ...(referenceVocab !== null && { reference: { shape: [answer * rows, referenceVocab], dtype: 'float32' } }),
  };
}
