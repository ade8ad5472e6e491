/**
 * PPO on in-distribution prompts (paper, section 2; Schulman et al., 2017), in the miniature recipe's form: sampled
 * answers, a reward at the last token, GAE, a clipped surrogate with entropy, a critic on detached hidden states that
 * learns alone at first, and the anchor to the base model, forward KL(base || policy) on the run's own rollouts. The
 * anchor is an addition to the paper; the arms `ppoPlain` (no anchor) and `anchorOnly` (no reward) tell what it does.
 *
 * GRPO is the same loop with groups of answers in place of a critic: no value head, no warm-up, no GAE.
 */
import type { RlArm, RlSettings } from '../../contract/settings.ts';
import { LanguageModel } from '../model/languageModel.ts';
import type { WeightMap } from '../model/weights.ts';
import { Philox } from '../random/philox.ts';
import type { Task } from '../tasks/task.ts';
import { assignCredit } from './assignCredit.ts';
import { explainedVariance } from './explainedVariance.ts';
import { groupAdvantages } from './groupAdvantages.ts';
import { layerMetrics } from './layerNorms.ts';
import {
  type PpoOptimizers,
  type UpdateTerms,
  ppoOptimizers,
  ppoUpdate,
  referenceScoring,
  rolloutScoring,
  takeRows,
} from './ppoSteps.ts';
import { type Rollouts, rollOut, rolloutMetrics } from './rollouts.ts';
import { ppoSchedule } from './schedules.ts';
import {
  type TrainingRequest,
  checkFinite,
  openRunModel,
  runState,
  throwIfCancelled,
  tokenClock,
} from './trainingRun.ts';
import { type ValueHead, addValueHead } from './valueHead.ts';
import { whiten } from './whiten.ts';

export interface PpoRequest extends TrainingRequest<RlSettings> {
  arm: RlArm;
  /** The frozen base that the anchor pulls to; unused by `ppoPlain`. */
  referenceWeights: WeightMap;
}

/** What the updates read beside the rollouts. */
interface Targets {
  oldLogprobs: Float32Array;
  advantages: Float32Array;
  /** Null without a critic. */
  critic: { oldValues: Float32Array; returns: Float32Array; explainedVariance: number } | null;
}

/** @returns the weights after the last iteration. @throws CANCELLED | NOT_FINITE */
export async function trainPpo(request: PpoRequest): Promise<WeightMap> {
  const { task, settings, seed, arm, signal } = request;
  const anchorCoef = arm === 'ppoPlain' ? 0 : settings.anchorCoef;
  const model = openRunModel(request);
  const needsReference = anchorCoef > 0 || settings.tokenKlCoef > 0;
  const reference = needsReference
    ? new LanguageModel(request.compute, request.config, request.referenceWeights)
    : null;
  try {
    const valueHead = settings.algorithm === 'ppo' ? addValueHead(model, seed) : null;
    const warmupIterations = valueHead === null ? 0 : settings.criticWarmupIterations;
    const optimizers = ppoOptimizers(model, valueHead);
    let iteration = 0;
    let policyUpdates = 0;
    let valueUpdates = 0;
    const counters = (): Record<string, number> => ({ iteration, policyUpdates, valueUpdates });
    const { trainer, load } = runState({ ...request, settings: { ...settings, arm } }, model, 'ppo', counters);
    const resumed = await load();
    iteration = resumed?.['iteration'] ?? 0;
    policyUpdates = resumed?.['policyUpdates'] ?? 0;
    valueUpdates = resumed?.['valueUpdates'] ?? 0;

    const tokensPerSecond = tokenClock();
    for (;;) {
      throwIfCancelled(signal);
      const last = iteration >= settings.iterations;
      if (iteration % settings.evaluateEvery === 0 || last) await request.onCheckpoint?.(iteration, trainer);
      if (last) break;

      const rollouts = await rollOut(model, task, settings, seed, iteration);
      const referenceLogProbabilities = reference && (await scoreReference(reference, task, rollouts.sequences));
      const targets = await scoreRollouts(model, task, settings, valueHead, rollouts, referenceLogProbabilities);
      const learningRate = settings.learningRate * ppoSchedule(iteration, warmupIterations, settings.iterations);
      const terms: UpdateTerms = {
        policy: iteration >= warmupIterations,
        reward: arm !== 'anchorOnly',
        anchorCoef,
      };
      const sums = new Map<string, number[]>();
      let epochs = 0;
      for (let approxKl = 0; epochs < settings.updateEpochs && approxKl <= (settings.targetKl ?? Infinity); epochs++) {
        const order = new Philox(seed, 'ppo order', iteration, epochs).permutation(settings.rolloutSize);
        for (let start = 0; start < order.length; start += settings.minibatchSize) {
          const rows = order.subarray(start, start + settings.minibatchSize);
          if (valueHead !== null) valueUpdates++;
          if (terms.policy) policyUpdates++;
          const batch = minibatch(
            task,
            rows,
            rollouts,
            targets,
            settings.clipValueLoss,
            terms.policy && anchorCoef > 0 ? referenceLogProbabilities : null,
          );
          const metrics = await update(batch, rows.length, terms, learningRate);
          checkFinite(iteration + 1, metrics);
          for (const [name, value] of Object.entries(metrics)) sums.set(name, [...(sums.get(name) ?? []), value]);
          approxKl = metrics['approxKl']!;
        }
      }
      iteration++;
      const means = Object.fromEntries([...sums].map(([name, values]) => [name, mean(values)]));
      await request.onMetrics?.(iteration, {
        ...rolloutMetrics(rollouts),
        ...means,
        ...(targets.critic === null ? {} : { explainedVariance: targets.critic.explainedVariance }),
        ...(settings.targetKl === null ? {} : { epochs }),
        learningRate: terms.policy ? learningRate : 0,
        tokensPerSecond: tokensPerSecond(rollouts.sequences.length),
      });
      if (request.resumeEverySteps && iteration % request.resumeEverySteps === 0)
        await request.onResumePoint?.(iteration, trainer);
    }
    return await model.readWeights();

    async function update(
      batch: Minibatch,
      size: number,
      terms: UpdateTerms,
      learningRate: number,
    ): Promise<Record<string, number>> {
      const step = ppoUpdate(model, task, valueHead, optimizers, settings, terms, size);
      const outputs = await step.run({ ...batch, ...rateInputs(optimizers, terms.policy, learningRate) });
      const { gradNorms, updateNorms, ...scalars } = outputs;
      return {
        ...Object.fromEntries(Object.entries(scalars).map(([name, { data }]) => [name, data[0]!])),
        ...layerMetrics('gradNorm', gradNorms?.data ?? []),
        ...layerMetrics('updateNorm', updateNorms?.data ?? []),
      };
    }

    function rateInputs({ policy, value }: PpoOptimizers, learns: boolean, learningRate: number) {
      const critic = value?.inputValues(valueUpdates, settings.valueLearningRate) ?? {};
      return learns ? { ...critic, ...policy.inputValues(policyUpdates, learningRate) } : critic;
    }
  } finally {
    model.dispose();
    reference?.dispose();
  }
}

/** Old log-probabilities (and values), then advantages (and returns) in float64. */
async function scoreRollouts(
  model: LanguageModel,
  task: Task,
  settings: RlSettings,
  valueHead: ValueHead | null,
  { sequences, mask, rewards }: Rollouts,
  reference: Float32Array | null,
): Promise<Targets> {
  const rows = settings.rolloutSize;
  const steps = task.answerLength;
  const scored = await rolloutScoring(model, task, valueHead, rows).run({ sequences });
  const oldLogprobs = scored['logprobs']!.data as Float32Array;
  const logratios = reference && settings.tokenKlCoef > 0 ? referenceLogratios(task, sequences, oldLogprobs, reference) : null; // prettier-ignore
  const masked = (values: Float64Array): Float32Array => Float32Array.from(values, (value, i) => value * mask[i]!);
  if (valueHead === null) {
    const penalised = penalisedRewards(rewards, mask, logratios, settings.tokenKlCoef);
    const perAnswer = groupAdvantages(penalised, settings);
    const advantages = Float64Array.from(mask, (_, i) => perAnswer[Math.floor(i / steps)]!);
    return { oldLogprobs, advantages: masked(advantages), critic: null };
  }
  const values = scored['values']!.data as Float32Array;
  const estimate = assignCredit({ rows, steps, mask, rewards, values, logratios }, settings);
  const advantages = settings.normalizeAdvantages
    ? whiten(estimate.advantages, mask, settings.whitening)
    : estimate.advantages;
  const returns = masked(estimate.returns);
  return {
    oldLogprobs,
    advantages: masked(advantages),
    critic: { oldValues: values, returns, explainedVariance: explainedVariance(estimate.returns, values, mask) },
  };
}

/** Rewards of whole answers, less the KL penalty of their tokens. */
function penalisedRewards(
  rewards: Float64Array,
  mask: Float32Array,
  logratios: Float64Array | null,
  tokenKlCoef: number,
): Float64Array {
  const steps = mask.length / rewards.length;
  const penalised = rewards.slice();
  logratios?.forEach((logratio, i) => (penalised[Math.floor(i / steps)]! -= tokenKlCoef * logratio * mask[i]!));
  return penalised;
}

/** log pi_old - log pi_base of each sampled token, [rolloutSize * answerLength]. */
function referenceLogratios(
  task: Task,
  sequences: Int32Array,
  oldLogprobs: Float32Array,
  reference: Float32Array,
): Float64Array {
  const { promptLength, answerLength } = task;
  const vocabSize = reference.length / oldLogprobs.length;
  return Float64Array.from(oldLogprobs, (logprob, i) => {
    const row = Math.floor(i / answerLength);
    const token = sequences[row * (promptLength + answerLength) + promptLength + (i % answerLength)]!;
    return logprob - reference[i * vocabSize + token]!;
  });
}

/** The base's distributions on the same answers, read after the prompt in the form that the base knows. */
async function scoreReference(reference: LanguageModel, task: Task, sequences: Int32Array): Promise<Float32Array> {
  const length = task.promptLength + task.answerLength;
  const rows = sequences.length / length;
  const read = sequences.slice();
  for (let row = 0; row < rows; row++) {
    const at = row * length;
    read.set(task.anchorPrompt(sequences.slice(at, at + task.promptLength)), at);
  }
  const outputs = await referenceScoring(reference, task, rows).run({ sequences: read });
  return outputs['logProbabilities']!.data as Float32Array;
}

type Minibatch = Record<string, Float32Array | Int32Array>;

function minibatch(
  task: Task,
  rows: Int32Array,
  rollouts: Rollouts,
  targets: Targets,
  clipValueLoss: boolean,
  reference: Float32Array | null,
): Minibatch {
  const { answerLength, promptLength } = task;
  const perToken = (values: Float32Array): Float32Array => takeRows(values, answerLength, rows);
  const batch: Minibatch = {
    sequences: takeRows(rollouts.sequences, promptLength + answerLength, rows),
    mask: perToken(rollouts.mask),
    oldLogprobs: perToken(targets.oldLogprobs),
    advantages: perToken(targets.advantages),
  };
  if (targets.critic !== null) {
    batch['returns'] = perToken(targets.critic.returns);
    if (clipValueLoss) batch['oldValues'] = perToken(targets.critic.oldValues);
  }
  if (reference === null) return batch;
  const vocabSize = reference.length / rollouts.mask.length;
  const referenceRows = takeRows(reference, answerLength * vocabSize, rows);
  return { ...batch, anchored: perToken(rollouts.anchored), reference: referenceRows };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
