/**
 * RL of a checkpoint on a task in text, as in the paper's published runs: one action is one whole answer, GAE runs over the
 * attempts of a dialogue, the critic reads the last prompt token through the model itself, and the gradients of both are
 * clipped together. The start may be any checkpoint, the base too.
 *
 * The anchor to the base is an addition, as in ppo.ts: forward KL(base || policy) of the full distributions, for each
 * answer token. The arms: `ppoPlain` has no anchor; `anchorOnly` reads no reward, and therefore has no critic either,
 * whose gradient would carry the rewards into the model. GRPO has groups of answers to a prompt in place of the critic.
 *
 * An update is made of micro-batches of about equal length, so that a minibatch of any size fits into memory.
 */
import { AppError } from '../../contract/errors.ts';
import type { RlArm, TextRlSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import { weightCatalogue } from '../model/weights.ts';
import { Philox } from '../random/philox.ts';
import type { TextTask } from '../tasks/textTask.ts';
import { TextModel } from '../text/textModel.ts';
import type { AdamWSettings } from './adamW.ts';
import { addAnswerValueHead } from './answerValueHead.ts';
import { explainedVariance } from './explainedVariance.ts';
import { GatheredOptimizer } from './gatheredOptimizer.ts';
import { groupAdvantages } from './groupAdvantages.ts';
import { cosineAnnealing } from './schedules.ts';
import { dialogueCredit, penalisedRewards } from './textCredit.ts';
import { type TextRollouts, textRolloutMetrics, textRollouts } from './textRollouts.ts';
import { type TextLearner, type TextUpdateTerms, scoreAnswers } from './textRlSteps.ts';
import { type LearnedAnswer, textRlUpdate } from './textRlUpdate.ts';
import { type RunHooks, checkFinite, runState, throwIfCancelled, tokenClock } from './trainingRun.ts';

export interface TextRlRequest extends RunHooks {
  /** The model where the run starts, which is trained; a resumed run starts from it too. */
  text: TextModel;
  /** The frozen base of the KL terms, the caller's; null where `needsReference` says that none is read. */
  reference: LanguageModel | null;
  task: TextTask;
  settings: TextRlSettings;
  arm: RlArm;
  seed: number;
}

type KlTerms = Pick<TextRlSettings, 'anchorCoef' | 'tokenKlCoef'>;

/** Whether updates read the frozen base's distributions. */
export const needsAnchor = ({ anchorCoef }: KlTerms, arm: RlArm): boolean => arm !== 'ppoPlain' && anchorCoef > 0;

/** Whether a run of these settings reads the frozen base at all. */
export const needsReference = (terms: KlTerms, arm: RlArm): boolean =>
  needsAnchor(terms, arm) || (arm !== 'anchorOnly' && terms.tokenKlCoef > 0);

/**
 * Trains the request's model. Steps of the hooks are iterations.
 * @throws INVALID_REQUEST | CANCELLED | NOT_FINITE | OUT_OF_MEMORY
 */
export async function trainTextRl(request: TextRlRequest): Promise<void> {
  checkRequest(request);
  try {
    await run(request);
  } catch (error) {
    throwIfCancelled(request.signal);
    throw error;
  }
}

async function run(request: TextRlRequest): Promise<void> {
  const { text, task, settings, seed, arm, signal } = request;
  const { iterations, minibatchSize, updateEpochs, rolloutSize } = settings;
  const { model } = text;
  const anchorCoef = arm === 'ppoPlain' ? 0 : settings.anchorCoef;
  const learner = openLearner(request);
  const warmupIterations = learner.critic === null ? 0 : settings.criticWarmupIterations;
  let iteration = 0;
  let policyUpdates = 0;
  let valueUpdates = 0;
  const identity = { settings: { ...settings, arm, task: task.name }, seed, config: model.config };
  const counters = (): Record<string, number> => ({ iteration, policyUpdates, valueUpdates });
  const { trainer, load } = runState({ ...identity, resume: request.resume }, model, 'ppo', counters);
  const resumed = await load();
  iteration = resumed?.['iteration'] ?? 0;
  policyUpdates = resumed?.['policyUpdates'] ?? 0;
  valueUpdates = resumed?.['valueUpdates'] ?? 0;

  const tokensPerSecond = tokenClock();
  for (;;) {
    throwIfCancelled(signal);
    const last = iteration >= iterations;
    if (iteration % settings.evaluateEvery === 0 || last) await request.onCheckpoint?.(iteration, trainer);
    if (last) break;

    const rollouts = await textRollouts({ text, task, settings, seed, iteration, signal });
    const { answers, foreseen } = await learnedAnswers(request, learner, rollouts);
    const terms: TextUpdateTerms = { policy: iteration >= warmupIterations, reward: arm !== 'anchorOnly', anchorCoef };
    const learningRate = rateOf(settings, iteration - warmupIterations);
    const anchor = terms.policy && anchorCoef > 0 ? request.reference : null;
    const update = textRlUpdate(learner, terms, anchor, text.codec.padId, signal);
    const sums = new Map<string, number[]>();
    let epochs = 0;
    for (let approxKl = 0; epochs < updateEpochs && approxKl <= (settings.targetKl ?? Infinity); epochs++) {
      const order = new Philox(seed, 'rl order', iteration, epochs).permutation(rolloutSize);
      for (let start = 0; start < rolloutSize; start += minibatchSize) {
        if (learner.critic !== null) valueUpdates++;
        if (terms.policy) policyUpdates++;
        const minibatch = Array.from(order.subarray(start, start + minibatchSize), (row) => answers[row]!);
        const rates = { policyUpdate: policyUpdates, valueUpdate: valueUpdates, learningRate, valueLearningRate: settings.valueLearningRate }; // prettier-ignore
        // Norms by layer cost more ops than the rest of the optimizer: once an iteration.
        const metrics = await update(minibatch, rates, epochs === 0 && start === 0);
        checkFinite(iteration + 1, metrics);
        for (const [name, value] of Object.entries(metrics)) sums.set(name, [...(sums.get(name) ?? []), value]);
        approxKl = metrics['approxKl']!;
      }
    }
    iteration++;
    const means = Object.fromEntries([...sums].map(([name, values]) => [name, mean(values)]));
    await request.onMetrics?.(iteration, {
      ...textRolloutMetrics(rollouts),
      ...means,
      ...(foreseen !== null && { explainedVariance: foreseen }),
      ...(settings.targetKl !== null && { epochs }),
      learningRate: terms.policy ? learningRate : 0,
      tokensPerSecond: tokensPerSecond(
        answers.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0),
      ),
    });
    if (request.resumeEverySteps && iteration % request.resumeEverySteps === 0)
      await request.onResumePoint?.(iteration, trainer);
  }
}

/** @throws INVALID_REQUEST */
function checkRequest({ settings, arm, reference }: TextRlRequest): void {
  const { algorithm, rolloutSize, groupSize, anchorCoef } = settings;
  if (algorithm === 'grpo' && rolloutSize % groupSize !== 0) {
    const message = `The rollout size ${rolloutSize} is not a multiple of the group size ${groupSize}.`;
    throw new AppError('INVALID_REQUEST', message, { hint: 'Change one of the two.' });
  }
  if (arm === 'anchorOnly' && anchorCoef === 0) {
    const hint = 'Set the anchor coefficient above 0, or take another arm.';
    throw new AppError('INVALID_REQUEST', 'An anchor alone with coefficient 0 has nothing to learn.', { hint });
  }
  if (reference === null && needsReference(settings, arm))
    throw new AppError('INVALID_REQUEST', 'The KL terms of these settings need the base model.', {
      hint: 'Give the base model, or set anchor and KL coefficients to 0.',
    });
}

/** Model, optimizers and (with a critic) value head of a run, at their start. */
export function openLearner({
  text: { model },
  settings,
  arm,
  seed,
}: Pick<TextRlRequest, 'text' | 'settings' | 'arm' | 'seed'>): TextLearner {
  const { beta1, beta2, adamEps: eps } = settings;
  const adamW: AdamWSettings = { beta1, beta2, eps, weightDecay: 0 };
  const names = weightCatalogue(model.config).map(({ name }) => name);
  const policy = new GatheredOptimizer(model, 'adamW.policy', names, adamW);
  if (settings.algorithm === 'grpo' || arm === 'anchorOnly') return { model, policy, critic: null, settings };
  const head = addAnswerValueHead(model, settings.valueHead, seed);
  return { model, policy, critic: { head, optimizer: new GatheredOptimizer(model, 'adamW.value', head.names, adamW) }, settings }; // prettier-ignore
}

/** The policy's learning rate: a cosine that stays at its end. @param iteration of those in which the policy learns, from 0 */
function rateOf({ learningRate, finalLearningRate, cosineIterations }: TextRlSettings, iteration: number): number {
  const at = Math.min(Math.max(0, iteration), cosineIterations);
  return cosineAnnealing(at, learningRate, finalLearningRate, cosineIterations);
}

/** Old log-probabilities (and values), then advantages (and returns). `foreseen`: share of the returns' variance. */
export async function learnedAnswers(
  { text, reference, settings, arm, signal }: TextRlRequest,
  { critic }: TextLearner,
  rollouts: TextRollouts,
): Promise<{ answers: LearnedAnswer[]; foreseen: number | null }> {
  const { answers, dialogues } = rollouts;
  const { rolloutTemperature, tokenKlCoef } = settings;
  // Prompts where a dialogue was cut off stand after the answers: only their values are wanted.
  const cut = critic === null ? [] : dialogues.filter(({ next }) => next !== null);
  const unanswered = cut.map(({ next }) => ({ prompt: next!, answer: [] }));
  const { logprobs, values } = await scoreAnswers(text, critic?.head ?? null, rolloutTemperature, [...answers, ...unanswered], signal); // prettier-ignore
  const learned = (advantages: ArrayLike<number>, returns: ArrayLike<number> | null): LearnedAnswer[] =>
    answers.map((answer, i) => ({
      ...{ ...answer, oldLogprobs: logprobs[i]!, advantage: advantages[i]! },
      critic: returns && { value: values[i]!, return: returns[i]! },
    }));
  if (arm === 'anchorOnly') return { answers: learned(new Float64Array(answers.length), null), foreseen: null };

  const base = tokenKlCoef > 0 && reference !== null ? new TextModel(reference, text.codec) : null;
  const scored = base && (await scoreAnswers(base, null, rolloutTemperature, answers, signal));
  const rewards = penalisedRewards(rollouts, logprobs, scored && scored.logprobs, tokenKlCoef);
  if (critic === null) return { answers: learned(groupAdvantages(rewards, settings), null), foreseen: null };
  const nextValues = dialogues.map((one) => (one.next === null ? 0 : values[answers.length + cut.indexOf(one)]!));
  const { advantages, returns } = dialogueCredit(dialogues, { rewards, values, nextValues }, settings);
  const all = answers.map(() => 1);
  return { answers: learned(advantages, returns), foreseen: explainedVariance(returns, values, all) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
