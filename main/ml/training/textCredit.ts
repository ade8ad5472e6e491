/** From the rewards of an iteration's answers to the advantage (and return) of each, in float64. */
import type { TextRlSettings } from '../../contract/settings.ts';
import { gae } from './gae.ts';
import type { DialogueRollout, TextRollouts } from './textRollouts.ts';
import { whiten } from './whiten.ts';

export interface AnswerCredit {
  /** Rewards, less the KL penalty, [answers]. */
  rewards: ArrayLike<number>;
  /** Critic before the update, [answers]. */
  values: ArrayLike<number>;
  /** Critic at the prompt where a dialogue was cut off, [dialogues]; what stands beside others has no meaning. */
  nextValues: ArrayLike<number>;
}

/** GAE over the answers of each dialogue, then whitening over all. @returns advantages and returns, [answers] */
export function dialogueCredit(
  dialogues: readonly DialogueRollout[],
  { rewards, values, nextValues }: AnswerCredit,
  settings: Pick<TextRlSettings, 'gamma' | 'gaeLambda' | 'normalizeAdvantages' | 'whitening'>,
): { advantages: Float64Array; returns: Float64Array } {
  const { gamma, gaeLambda } = settings;
  const advantages = new Float64Array(rewards.length);
  const returns = new Float64Array(rewards.length);
  dialogues.forEach(({ answers, next }, dialogue) => {
    const steps = answers.length;
    const estimate = gae({
      rewards: answers.map((answer) => rewards[answer]!),
      values: [...answers.map((answer) => values[answer]!), nextValues[dialogue]!],
      dones: answers.map((_, turn) => Number(turn === steps - 1 && next === null)),
      ...{ rows: 1, steps, gamma, gaeLambda },
    });
    answers.forEach((answer, turn) => {
      advantages[answer] = estimate.advantages[turn]!;
      returns[answer] = estimate.returns[turn]!;
    });
  });
  const all = advantages.map(() => 1);
  return {
    advantages: settings.normalizeAdvantages ? whiten(advantages, all, settings.whitening) : advantages,
    returns,
  };
}

/**
 * Rewards less the KL penalty: coefficient times log pi_old - log pi_base, summed over the answer's tokens.
 * @param logprobs, reference for each answer [answer.length]; reference null: no penalty
 */
export function penalisedRewards(
  { answers }: TextRollouts,
  logprobs: readonly Float32Array[],
  reference: readonly Float32Array[] | null,
  tokenKlCoef: number,
): Float64Array {
  return Float64Array.from(answers, ({ reward }, i) => {
    const kl = reference === null ? 0 : logprobs[i]!.reduce((sum, own, t) => sum + own - reference[i]![t]!, 0);
    return reward - tokenKlCoef * kl;
  });
}
