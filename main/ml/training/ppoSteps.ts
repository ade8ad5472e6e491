/** The compiled steps of PPO: scoring rollouts under the policy and the reference, and the updates. */
import type { CompiledStep, HostArray, Tensor, TensorSpec, Variable } from '../../compute/session.ts';
import type { RlSettings } from '../../contract/settings.ts';
import { decode, finalHidden, outputLogits, prepareWeights, toBatchMajor, toTokenMajor } from '../model/decoder.ts';
import { type LanguageModel, splitSequences } from '../model/languageModel.ts';
import { weightCatalogue } from '../model/weights.ts';
import type { Task } from '../tasks/task.ts';
import { AdamW, lossGradients, lossGradientsWith, miniatureAdamW } from './adamW.ts';
import { layerNorms } from './layerNorms.ts';
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
import type { ValueHead } from './valueHead.ts';

/** The model on whole sequences; rows over the answer tokens, [answerLength * batch] token-major. */
function readSequences(model: LanguageModel, task: Task, sequences: Tensor) {
  const { tf, config } = model;
  const weights = prepareWeights(tf, config, model.variable);
  const { ids, targets } = splitSequences(tf, sequences, task.promptLength);
  const { normalized } = decode(tf, config, weights, { ids, from: task.promptLength - 1 });
  return {
    actions: targets,
    hidden: finalHidden(tf, weights, normalized),
    logProbabilities: logSoftmaxRows(tf, outputLogits(tf, weights, normalized)),
  };
}

const sequenceSpec = (task: Task, batch: number): TensorSpec => {
  return { shape: [batch, task.promptLength + task.answerLength], dtype: 'int32' };
};

/** Old log-probabilities and (with a critic) values of `batch` rollouts: `logprobs`, `values` [batch, answerLength]. */
export function rolloutScoring(
  model: LanguageModel,
  task: Task,
  valueHead: ValueHead | null,
  batch: number,
): CompiledStep {
  const { tf } = model;
  return model.step(`ppo scoring ${batch}`, { sequences: sequenceSpec(task, batch) }, (inputs) => {
    const { actions, hidden, logProbabilities } = readSequences(model, task, inputs['sequences']!);
    const outputs: Record<string, Tensor> = {
      logprobs: toBatchMajor(tf, actionLogprobs(tf, logProbabilities, actions), batch),
    };
    if (valueHead !== null) outputs['values'] = toBatchMajor(tf, valueHead.values(hidden), batch);
    return outputs;
  });
}

/** Full log-probabilities of a frozen model: `logProbabilities` [batch, answerLength, vocab]. */
export function referenceScoring(reference: LanguageModel, task: Task, batch: number): CompiledStep {
  return reference.step(`ppo reference ${batch}`, { sequences: sequenceSpec(task, batch) }, (inputs) => {
    const { logProbabilities } = readSequences(reference, task, inputs['sequences']!);
    return { logProbabilities: toBatchMajor(reference.tf, logProbabilities, batch) };
  });
}

export interface UpdateTerms {
  /** False while only the critic learns. */
  policy: boolean;
  /** False for the arm without reward: the surrogate is dropped, entropy and anchor stay. */
  reward: boolean;
  /** 0: no reference is read. */
  anchorCoef: number;
}

/** What the critic and the metrics read of the policy's forward pass. */
type PolicyReadings = Record<string, Tensor> & { hidden: Tensor; logratio: Tensor };

/** The two optimizers: only the policy's gradients are clipped. */
export interface PpoOptimizers {
  policy: AdamW;
  policyVariables: Variable[];
  value: AdamW | null;
}

export function ppoOptimizers(model: LanguageModel, valueHead: ValueHead | null): PpoOptimizers {
  const policyVariables = weightCatalogue(model.config).map(({ name }) => model.variable(name));
  return {
    policy: new AdamW(model.tf, model.session, 'adamW.policy', policyVariables, miniatureAdamW),
    policyVariables,
    value: valueHead && new AdamW(model.tf, model.session, 'adamW.value', valueHead.variables, miniatureAdamW),
  };
}

/**
 * One update of a minibatch:
 *   policy: L = L_clip - entCoef * H + anchorCoef * KL(reference || policy), clipped to maxGradNorm
 *   critic: L = vfCoef * mean((v - R)^2) on detached hidden states, its gradient not clipped; none in GRPO
 * Inputs [batch, answerLength]: mask, oldLogprobs, advantages; with a critic returns (and oldValues, to clip its loss);
 * with an anchor also anchored, and reference [batch, answerLength, vocab].
 */
export function ppoUpdate(
  model: LanguageModel,
  task: Task,
  valueHead: ValueHead | null,
  optimizers: PpoOptimizers,
  settings: RlSettings,
  terms: UpdateTerms,
  batch: number,
): CompiledStep {
  const { tf, config } = model;
  const perToken: TensorSpec = { shape: [batch, task.answerLength], dtype: 'float32' };
  const anchored = terms.policy && terms.anchorCoef > 0;
  const specs: Record<string, TensorSpec> = {
    sequences: sequenceSpec(task, batch),
    mask: perToken,
    oldLogprobs: perToken,
    advantages: perToken,
    ...(valueHead === null ? {} : { returns: perToken }),
    ...(valueHead !== null && settings.clipValueLoss ? { oldValues: perToken } : {}),
    ...(anchored
      ? { anchored: perToken, reference: { shape: [...perToken.shape, config.vocabSize], dtype: 'float32' } }
      : {}),
    ...(terms.policy ? optimizers.policy.inputs : {}),
    ...optimizers.value?.inputs,
  };

  const policyTerms = (inputs: Record<string, Tensor>) => {
    const mask = inputs['mask']!;
    const { actions, hidden, logProbabilities } = readSequences(model, task, inputs['sequences']!);
    const logratio = tf.sub(actionLogprobs(tf, logProbabilities, actions), inputs['oldLogprobs']!);
    const surrogate = policyLoss(tf, logratio, inputs['advantages']!, mask, settings.clipCoef);
    const entropy = maskedMean(tf, tokenEntropies(tf, logProbabilities), mask);
    let loss = tf.mul(entropy, -settings.entCoef);
    if (terms.reward) loss = tf.add(surrogate, loss);
    const kept: PolicyReadings = { hidden, logratio, policyLoss: surrogate, entropy };
    if (anchored) {
      const kl = anchorKl(tf, inputs['reference']!, logProbabilities, inputs['anchored']!, mask);
      loss = tf.add(loss, tf.mul(kl, terms.anchorCoef));
      kept['anchorKl'] = kl;
    }
    return { loss, kept };
  };

  return model.step(`ppo update ${batch} ${JSON.stringify(terms)}`, specs, (given) => {
    const inputs = answersTokenMajor(given);
    const mask = inputs['mask']!;
    const forward = () => policyTerms(inputs);
    const learned = terms.policy ? lossGradientsWith(tf, optimizers.policyVariables, forward) : null;
    const gradients = learned?.gradients ?? null;
    const { hidden, logratio, ...metrics } = learned?.kept ?? forward().kept;
    const critic = criticUpdate(inputs, hidden, mask);
    const { kl3, clipFraction } = ratioStatistics(tf, logratio, mask, settings.clipCoef);
    const policy = gradients && optimizers.policy.apply(gradients, inputs, settings.maxGradNorm);
    return {
      ...metrics,
      ...critic,
      approxKl: kl3,
      clipFraction,
      ...(policy === null ? {} : { gradNorm: policy.gradNorm }),
      ...(gradients === null || policy === null
        ? {}
        : {
            gradNorms: layerNorms(tf, config, gradients),
            updateNorms: layerNorms(tf, config, policy.updates),
          }),
    };
  });

  function criticUpdate(inputs: Record<string, Tensor>, hidden: Tensor, mask: Tensor): Record<string, Tensor> {
    if (valueHead === null || optimizers.value === null) return {};
    const { vfCoef, clipCoef } = settings;
    const oldValues = inputs['oldValues'];
    const clip = oldValues === undefined ? undefined : { oldValues, clipCoef };
    const { loss, gradients } = lossGradients(tf, valueHead.variables, () => {
      return tf.mul(valueLoss(tf, valueHead.values(hidden), inputs['returns']!, mask, clip), vfCoef);
    });
    optimizers.value.apply(gradients, inputs, null);
    return { valueLoss: tf.div(loss, vfCoef === 0 ? 1 : vfCoef) };
  }

  /** What comes row by row in the order that the model's rows have. */
  function answersTokenMajor(given: Record<string, Tensor>): Record<string, Tensor> {
    const perAnswer = ['mask', 'oldLogprobs', 'advantages', 'returns', 'oldValues', 'anchored', 'reference'];
    const entries = Object.entries(given).map(([name, value]) => {
      return [name, perAnswer.includes(name) ? toTokenMajor(tf, value) : value] as const;
    });
    return Object.fromEntries(entries);
  }
}

/** Rows of a flat [rows * width] array, in the order given. */
export function takeRows<T extends HostArray>(values: T, width: number, rows: ArrayLike<number>): T {
  const out = (
    values instanceof Float32Array ? new Float32Array(rows.length * width) : new Int32Array(rows.length * width)
  ) as T;
  for (let i = 0; i < rows.length; i++) out.set(values.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  return out;
}
