/**
 * From one reward an answer to an advantage and a return for each of its tokens, before whitening.
 *
 * Actions are tokens (GAE over the answer, the reward at its last token) or, as in the paper, whole answers: then every
 * token of an answer shares the advantage R - V of its first position. A per-token KL penalty joins the rewards.
 */
import type { RlSettings } from '../../contract/settings.ts';
import { gae } from './gae.ts';

export interface ScoredAnswers {
  rows: number;
  /** Tokens of an answer, padding included; all arrays below are row-major [rows, steps] unless said. */
  steps: number;
  /** 1 up to and including the end token. */
  mask: ArrayLike<number>;
  /** [rows] */
  rewards: ArrayLike<number>;
  /** Critic, before the update. */
  values: ArrayLike<number>;
  /** log pi_old - log pi_base of the sampled tokens, or null for no penalty. */
  logratios: ArrayLike<number> | null;
}

/** @returns advantages and returns, float64 [rows, steps]; what they hold at padding has no meaning */
export function assignCredit(
  answers: ScoredAnswers,
  settings: Pick<RlSettings, 'gamma' | 'gaeLambda' | 'tokenKlCoef' | 'actionUnit'>,
): { advantages: Float64Array; returns: Float64Array } {
  const { rows, steps, mask, rewards, values, logratios } = answers;
  const tokenRewards = new Float64Array(rows * steps);
  const dones = new Uint8Array(rows * steps);
  // no bootstrap value after the last column
  const bootstrapped = new Float64Array(rows * (steps + 1));
  for (let row = 0; row < rows; row++) {
    let last = row * steps;
    for (let at = row * steps; at < (row + 1) * steps; at++) {
      if (mask[at] === 1) last = at;
      bootstrapped[row * (steps + 1) + (at - row * steps)] = values[at]!;
      if (logratios && mask[at] === 1) tokenRewards[at] = -settings.tokenKlCoef * logratios[at]!;
    }
    tokenRewards[last]! += rewards[row]!;
    dones.fill(1, last, (row + 1) * steps);
  }
  if (settings.actionUnit === 'answer') return wholeAnswers(answers, tokenRewards);
  const { gamma, gaeLambda } = settings;
  return gae({ rewards: tokenRewards, dones, values: bootstrapped, rows, steps, gamma, gaeLambda });
}

function wholeAnswers({ rows, steps, values }: ScoredAnswers, tokenRewards: Float64Array) {
  const advantages = new Float64Array(rows * steps);
  const returns = new Float64Array(rows * steps);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * steps, (row + 1) * steps];
    const total = tokenRewards.subarray(start, end).reduce((sum, reward) => sum + reward, 0);
    advantages.fill(total - values[start]!, start, end);
    returns.fill(total, start, end);
  }
  return { advantages, returns };
}
