/** How much of what was forgotten came back: (RL - End) / (peak - End). */
import type { Interval } from '../../contract/studyResult.ts';
import { bootstrapCounts, bootstrapShares, DEFAULT_DRAWS, percentiles } from './bootstrap.ts';
import { accuracyDifference, arePaired, hasOutcomes, type Accuracy } from './difference.ts';
import { share } from './proportions.ts';

const LEVEL = 0.95;

/** Null where peak - End is not separated: a share of nothing. `key` names the stream of the bootstrap. */
export function recoveryShare(
  { healed, end, peak }: { healed: Accuracy; end: Accuracy; peak: Accuracy },
  key: readonly (string | number)[],
): { value: number; interval: Interval } | null {
  if (!accuracyDifference(peak, end, 'greater').separated) return null;
  // a redrawn curve may have no gap left; half an episode stands in for it, which keeps the share finite
  const floor = 0.5 / end.n;
  const ratio = ([a, b, c]: readonly number[]): number => (a! - b!) / Math.max(floor, c! - b!);
  const three = [healed, end, peak];
  const paired = arePaired(healed, end) && arePaired(peak, end);
  const draws = paired
    ? bootstrapShares(
        three.filter(hasOutcomes).map(({ outcomes }) => outcomes),
        ratio,
        ['recoveryShare', ...key],
      )
    : bootstrapCounts(three, ratio, ['recoveryShare', ...key]);
  const covers = `95 % ${paired ? 'paired ' : ''}bootstrap, ${DEFAULT_DRAWS} draws, ${end.n} episodes`;
  return { value: ratio(three.map(share)), interval: { ...percentiles(draws, LEVEL), covers } };
}
