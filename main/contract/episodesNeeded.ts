/**
 * Planning: how many episodes separate two accuracies, and what a number of episodes can separate. In the contract, because
 * the forms plan with what the verdicts test.
 *
 * Two unpaired proportions, normal approximation: n = (z_alpha + z_power)^2 (p_a q_a + p_b q_b) / (p_a - p_b)^2 an arm.
 * The same episodes (McNemar; Miettinen 1968, Connor 1987): with a share psi of episodes on which the answers disagree and a
 * difference d, n = (z_alpha sqrt(psi) + z_power sqrt(psi - d^2))^2 / d^2 episodes, answered by both.
 *
 * Verdicts of the lab are one-sided at 5 %. The figure of 13,400 an arm for the 1.3 points between 16.2 % and 17.5 % is
 * that of a two-sided test; one-sided it is 10,550.
 */
import { AppError } from './errors.ts';
import { normalQuantile } from './normal.ts';

export interface Plan {
  /** In 0..0.5. */
  alpha?: number;
  sides?: 1 | 2;
  power?: number;
}

/** @throws INVALID_REQUEST a level out of range */
function quantiles({ alpha = 0.05, sides = 1, power = 0.8 }: Plan): { ofLevel: number; ofPower: number } {
  if (alpha > 0 && alpha < 0.5 && power > alpha && power < 1)
    return { ofLevel: normalQuantile(1 - alpha / sides), ofPower: normalQuantile(power) };
  throw new AppError('INVALID_REQUEST', `A test at level ${alpha} with power ${power} cannot be planned.`, {
    hint: 'Take a level below 0.5 and a power above the level, such as 0.05 and 0.8.',
  });
}

const variance = (p: number): number => p * (1 - p);

/** Shares of 0..1. @returns episodes an arm; Infinity for equal shares. @throws INVALID_REQUEST */
export function episodesNeeded(a: number, b: number, plan: Plan = {}): number {
  requireShare(a);
  requireShare(b);
  const { ofLevel, ofPower } = quantiles(plan);
  const z = ofLevel + ofPower;
  return a === b ? Infinity : Math.max(1, Math.ceil((z * z * (variance(a) + variance(b))) / (a - b) ** 2));
}

/** Share of episodes on which two answers disagree when they have nothing to do with each other: the most, as a rule. */
export const independentDisagreement = (a: number, b: number): number => a * (1 - b) + b * (1 - a);

/**
 * The same episodes asked twice.
 * @param difference share(a) - share(b), -1..1
 * @param disagreement share of episodes that one of both answers right and the other wrong; at least |difference|
 * @returns episodes; Infinity for no difference. @throws INVALID_REQUEST
 */
export function pairedEpisodesNeeded(difference: number, disagreement: number, plan: Plan = {}): number {
  requireShare(disagreement);
  const size = Math.abs(difference);
  // a hair of slack: both are counts over n
  if (!(size <= disagreement + 1e-12))
    throw new AppError(
      'INVALID_REQUEST',
      `A difference of ${difference} needs as much disagreement, not ${disagreement}.`,
    );
  const { ofLevel, ofPower } = quantiles(plan);
  if (size === 0) return Infinity;
  const spread = ofLevel * Math.sqrt(disagreement) + ofPower * Math.sqrt(Math.max(0, disagreement - size * size));
  return Math.max(1, Math.ceil((spread / size) ** 2));
}

/**
 * The smallest rise above an accuracy that so many episodes an arm separate.
 * @returns in 0..1; null when not even a rise to 1 is. @throws INVALID_REQUEST
 */
export function detectableRise(base: number, episodes: number, plan: Plan = {}): number | null {
  requireShare(base);
  const enough = (rise: number): boolean => episodesNeeded(base, base + rise, plan) <= episodes;
  let [low, high] = [0, 1 - base];
  if (high === 0 || !enough(high)) return null;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function requireShare(share: number): void {
  if (share >= 0 && share <= 1) return;
  throw new AppError('INVALID_REQUEST', `${share} is no accuracy between 0 and 1.`);
}
