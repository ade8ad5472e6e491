/**
 * Advantages of GRPO (Shao et al., "DeepSeekMath", 2024): each answer against the other answers to its prompt,
 *   A_i = (r_i - mean(r)) / (std(r) + 1e-4)
 * with the unbiased deviation, as TRL computes it; without the division as in Dr. GRPO (Liu et al., 2025), which a
 * prompt that is nearly always or nearly never solved then does not outweigh.
 */
import type { RlSettings } from '../../contract/settings.ts';

const DEVIATION_EPS = 1e-4;

/**
 * @param rewards [rows], the answers of a group side by side; rows is a multiple of `groupSize`
 * @returns [rows]; 0 for a group whose answers are all rewarded alike
 */
export function groupAdvantages(
  rewards: ArrayLike<number>,
  { groupSize, groupScale }: Pick<RlSettings, 'groupSize' | 'groupScale'>,
): Float64Array {
  const advantages = new Float64Array(rewards.length);
  for (let start = 0; start < rewards.length; start += groupSize) {
    const group = Array.from({ length: groupSize }, (_, i) => rewards[start + i]!);
    const mean = group.reduce((sum, reward) => sum + reward, 0) / groupSize;
    const squares = group.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / (groupSize - 1));
    const scale = groupScale === 'deviation' ? 1 / (deviation + DEVIATION_EPS) : 1;
    group.forEach((reward, i) => (advantages[start + i] = (reward - mean) * scale));
  }
  return advantages;
}
