/**
 * PPO on in-distribution prompts (paper, section 2; Schulman et al., 2017), in the miniature recipe's form: sampled
 * answers, a reward at the last token, GAE, a clipped surrogate with entropy, a critic on detached hidden states that
 * learns alone at first, and the anchor to the base model, forward KL(base || policy) on the run's own rollouts. The
 * anchor is an addition to the paper; the arms `ppoPlain` (no anchor) and `anchorOnly` (no reward) tell what it does.
 */
import type { RlArm, RlSettings } from '../../contract/settings.ts';
import { LanguageModel } from '../model/languageModel.ts';
import type { WeightMap } from '../model/weights.ts';
import { Philox } from '../random/philox.ts';
import type { Episode, Task, Verdict } from '../tasks/task.ts';
import { assignCredit } from './assignCredit.ts';
import {
  type PpoOptimizers,
  type UpdateTerms,
  ppoOptimizers,
  ppoUpdate,
  referenceScoring,
  rolloutScoring,
  takeRows,
} from './ppoSteps.ts';
import { ppoSchedule } from './schedules.ts';
import { stackRows } from './supervised.ts';
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

/** Answers of one iteration, flat over [rolloutSize * answerLength] unless said. */
interface Rollouts {
  /** [rolloutSize, promptLength + answerLength] */
  sequences: Int32Array;
  /** 1 up to and including the end token. */
  mask: Float32Array;
  /** 1 where the anchor pulls: not at the first token, which only chooses the answer's format. */
  anchored: Float32Array;
  verdicts: Verdict[];
  /** [rolloutSize] */
  rewards: Float64Array;
}

/** What the updates read beside the rollouts. */
interface Targets {
  oldLogprobs: Float32Array;
  advantages: Float32Array;
  returns: Float32Array;
  explainedVariance: number;
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
    const valueHead = addValueHead(model, seed);
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
      const learningRate =
        settings.learningRate * ppoSchedule(iteration, settings.criticWarmupIterations, settings.iterations);
      const terms: UpdateTerms = {
        policy: iteration >= settings.criticWarmupIterations,
        reward: arm !== 'anchorOnly',
        anchorCoef,
      };
      const sums = new Map<string, number[]>();
      for (let epoch = 0; epoch < settings.updateEpochs; epoch++) {
        const order = new Philox(seed, 'ppo order', iteration, epoch).permutation(settings.rolloutSize);
        for (let start = 0; start < order.length; start += settings.minibatchSize) {
          const rows = order.subarray(start, start + settings.minibatchSize);
          valueUpdates++;
          if (terms.policy) policyUpdates++;
          const batch = minibatch(
            task,
            rows,
            rollouts,
            targets,
            terms.policy && anchorCoef > 0 ? referenceLogProbabilities : null,
          );
          const metrics = await update(batch, rows.length, terms, learningRate);
          checkFinite(iteration + 1, metrics);
          for (const [name, value] of Object.entries(metrics)) sums.set(name, [...(sums.get(name) ?? []), value]);
        }
      }
      iteration++;
      const means = Object.fromEntries([...sums].map(([name, values]) => [name, mean(values)]));
      await request.onMetrics?.(iteration, {
        ...rolloutMetrics(rollouts),
        ...means,
        explainedVariance: targets.explainedVariance,
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
      return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data[0]!]));
    }

    function rateInputs({ policy, value }: PpoOptimizers, learns: boolean, learningRate: number) {
      const critic = value.inputValues(valueUpdates, settings.valueLearningRate);
      return learns ? { ...critic, ...policy.inputValues(policyUpdates, learningRate) } : critic;
    }
  } finally {
    model.dispose();
    reference?.dispose();
  }
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/** Fresh training prompts, answers sampled at temperature 1, and their verdicts. */
async function rollOut(
  model: LanguageModel,
  task: Task,
  settings: RlSettings,
  seed: number,
  iteration: number,
): Promise<Rollouts> {
  const { promptLength, answerLength, eosId, padId } = task;
  const random = new Philox(seed, 'ppo prompts', iteration);
  const episodes: Episode[] = Array.from({ length: settings.rolloutSize }, () =>
    task.trainingEpisode('inDist', random),
  );
  const answers = await model.generate({
    prompts: stackRows(episodes.map(({ prompt }) => prompt)),
    promptLength,
    newTokens: answerLength,
    decoding: { mode: 'sample', temperature: 1, random: new Philox(seed, 'ppo rollout', iteration) },
    stopIds: [eosId],
    padId,
  });
  const rowOf = (row: number): Int32Array => answers.subarray(row * answerLength, (row + 1) * answerLength);
  const mask = new Float32Array(answers.length);
  const anchored = new Float32Array(answers.length);
  episodes.forEach((_, row) => {
    // By the end token, not by padding: a sampled padding token is an action like any other.
    const end = rowOf(row).indexOf(eosId);
    const length = end < 0 ? answerLength : end + 1;
    mask.fill(1, row * answerLength, row * answerLength + length);
    anchored.fill(1, row * answerLength + 1, row * answerLength + length);
  });
  const verdicts = episodes.map((episode, row) => task.verify(episode, rowOf(row)));
  return {
    sequences: stackRows(episodes.map(({ prompt }, row) => Int32Array.of(...prompt, ...rowOf(row)))),
    mask,
    anchored,
    verdicts,
    rewards: Float64Array.from(verdicts, (verdict) => rewardOf(verdict, settings.rewards)),
  };
}

/** By the first thing that is wrong: format, number, formula. */
export function rewardOf(verdict: Verdict, rewards: RlSettings['rewards']): number {
  if (verdict.correct) return rewards.correct;
  if (verdict.numberOk) return rewards.wrongFormula;
  return verdict.formatOk ? rewards.wrongNumber : rewards.badFormat;
}

/** Old log-probabilities and values, then advantages and returns in float64. */
async function scoreRollouts(
  model: LanguageModel,
  task: Task,
  settings: RlSettings,
  valueHead: ValueHead,
  { sequences, mask, rewards }: Rollouts,
  reference: Float32Array | null,
): Promise<Targets> {
  const rows = settings.rolloutSize;
  const steps = task.answerLength;
  const scored = await rolloutScoring(model, task, valueHead, rows).run({ sequences });
  const values = scored['values']!.data as Float32Array;
  const oldLogprobs = scored['logprobs']!.data as Float32Array;
  const logratios = reference && settings.tokenKlCoef > 0 ? referenceLogratios(task, sequences, oldLogprobs, reference) : null; // prettier-ignore
  const estimate = assignCredit({ rows, steps, mask, rewards, values, logratios }, settings);
  const advantages = settings.normalizeAdvantages
    ? whiten(estimate.advantages, mask, 'biasedDeviation')
    : estimate.advantages;
  return {
    oldLogprobs,
    advantages: Float32Array.from(advantages, (value, i) => value * mask[i]!),
    returns: Float32Array.from(estimate.returns, (value, i) => value * mask[i]!),
    explainedVariance: explainedVariance(estimate.returns, values, mask),
  };
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

/** 1 - Var(returns - values) / Var(returns) over valid tokens, without centring the residual. */
function explainedVariance(returns: Float64Array, values: Float32Array, mask: Float32Array): number {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < returns.length; i++) {
    count += mask[i]!;
    sum += returns[i]! * mask[i]!;
  }
  let residual = 0;
  let total = 0;
  for (let i = 0; i < returns.length; i++) {
    residual += (returns[i]! - values[i]!) ** 2 * mask[i]!;
    total += (returns[i]! - sum / count) ** 2 * mask[i]!;
  }
  return total === 0 ? 0 : 1 - residual / total;
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
  reference: Float32Array | null,
): Minibatch {
  const { answerLength, promptLength } = task;
  const perToken = (values: Float32Array): Float32Array => takeRows(values, answerLength, rows);
  const batch: Minibatch = {
    sequences: takeRows(rollouts.sequences, promptLength + answerLength, rows),
    mask: perToken(rollouts.mask),
    oldLogprobs: perToken(targets.oldLogprobs),
    advantages: perToken(targets.advantages),
    returns: perToken(targets.returns),
  };
  if (reference === null) return batch;
  const vocabSize = reference.length / rollouts.mask.length;
  const referenceRows = takeRows(reference, answerLength * vocabSize, rows);
  return { ...batch, anchored: perToken(rollouts.anchored), reference: referenceRows };
}

function rolloutMetrics({ rewards, verdicts }: Rollouts): Record<string, number> {
  const share = (key: keyof Verdict): number => verdicts.filter((verdict) => verdict[key]).length / verdicts.length;
  return { reward: mean(rewards), successRate: share('correct'), formatRate: share('formatOk') };
}
