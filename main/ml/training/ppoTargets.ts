/** What an iteration of PPO on a task in tokens learns from: advantages and returns of its rollouts, cut into minibatches. */
import type { RlSettings } from '../../contract/settings.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import type { Task } from '../tasks/task.ts';
import { assignCredit } from './assignCredit.ts';
import { explainedVariance } from './explainedVariance.ts';
import { groupAdvantages } from './groupAdvantages.ts';
import { referenceScoring, rolloutScoring, takeRows } from './ppoSteps.ts';
import type { Rollouts } from './rollouts.ts';
import type { ValueHead } from './valueHead.ts';
import { whiten } from './whiten.ts';

/** What the updates read beside the rollouts. */
interface Targets {
  oldLogprobs: Float32Array;
  advantages: Float32Array;
  /** Null without a critic. */
  critic: { oldValues: Float32Array; returns: Float32Array; explainedVariance: number } | null;
}

/** Old log-probabilities (and values), then advantages (and returns) in float64. */
export async function scoreRollouts(
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
export async function scoreReference(
  reference: LanguageModel,
  task: Task,
  sequences: Int32Array,
): Promise<Float32Array> {
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

/** Inputs of `ppoUpdate` but for the rates. */
export type Minibatch = Record<string, Float32Array | Int32Array>;

/**
 * @param rows of the rollouts that are learned from
 * @param reference of `scoreReference`; null without an anchor
 */
export function minibatch(
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
