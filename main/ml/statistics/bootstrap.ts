/**
 * Bootstraps over episodes, and over seeds and episodes. The same frozen episodes are answered by every checkpoint, so an
 * episode is drawn with the answers of all of them.
 */
import { AppError } from '../../contract/errors.ts';
import { Philox } from '../random/philox.ts';
import type { Bounds } from './proportions.ts';

export const DEFAULT_DRAWS = 2000;

/** Lower and upper percentile of draws. */
export function percentiles(draws: Float64Array, level: number): Bounds {
  const sorted = draws.slice().sort();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(q * sorted.length)))]!;
  const tail = (1 - level) / 2;
  return { low: at(tail), high: at(1 - tail) };
}

/**
 * Percentile interval of the paired difference share(a) - share(b) over episodes. The distribution is exact, the limit of
 * infinitely many draws: n steps of +1, 0, -1 with the observed frequencies. @throws INVALID_REQUEST unequal lengths
 */
export function pairedDifferenceInterval(a: string, b: string, level: number): Bounds {
  if (a.length !== b.length || a.length === 0)
    throw new AppError(
      'INVALID_REQUEST',
      `A paired bootstrap needs the same episodes, not ${a.length} and ${b.length}.`,
    );
  const n = a.length;
  let [up, down] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (a[i]! > b[i]!) up += 1 / n;
    if (a[i]! < b[i]!) down += 1 / n;
  }
  const masses = walkDistribution(n, up, down);
  const tail = (1 - level) / 2;
  return { low: quantileOfWalk(masses, tail, n), high: quantileOfWalk(masses, 1 - tail, n) };
}

/** P(sum = s - n) at index s, for n independent steps of +1 (probability up), -1 (down) or 0. */
function walkDistribution(n: number, up: number, down: number): Float64Array {
  const stay = Math.max(0, 1 - up - down);
  let masses = new Float64Array(2 * n + 1);
  masses[n] = 1;
  for (let step = 1; step <= n; step++) {
    const next = new Float64Array(2 * n + 1);
    for (let s = n - step; s <= n + step; s++)
      next[s] = stay * masses[s]! + up * (masses[s - 1] ?? 0) + down * (masses[s + 1] ?? 0);
    masses = next;
  }
  return masses;
}

/** The smallest value with at least this mass at or below it; as a share of n. */
function quantileOfWalk(masses: Float64Array, q: number, n: number): number {
  let below = 0;
  for (let s = 0; s < masses.length; s++) {
    below += masses[s]!;
    // the sum of all masses is 1 only to rounding
    if (below >= q - 1e-12) return (s - n) / n;
  }
  return 1;
}

/**
 * How often each of n items is drawn, per draw: [draws][n]. The few that a study asks for again and again (every contrast,
 * every arm) are kept, since drawing them costs far more than using them.
 */
export function resamples(n: number, draws: number, key: readonly (string | number)[]): readonly Uint16Array[] {
  const name = [...key, n, draws].join('\u001f');
  let found = kept.get(name);
  if (!found) {
    const random = new Philox('resamples', ...key, n);
    found = Array.from({ length: draws }, () => {
      const counts = new Uint16Array(n);
      for (let i = 0; i < n; i++) counts[random.int(n)]!++;
      return counts;
    });
    if (kept.size >= KEPT_RESAMPLES) kept.clear();
    kept.set(name, found);
  }
  return found;
}

const KEPT_RESAMPLES = 4;
const kept = new Map<string, readonly Uint16Array[]>();

/** Draws of any statistic of the shares of several checkpoints on the same episodes. @throws INVALID_REQUEST unequal lengths */
export function bootstrapShares(
  outcomes: readonly string[],
  statistic: (shares: readonly number[]) => number,
  key: readonly (string | number)[],
  draws = DEFAULT_DRAWS,
): Float64Array {
  const n = outcomes[0]?.length ?? 0;
  if (n === 0 || outcomes.some((text) => text.length !== n))
    throw new AppError('INVALID_REQUEST', 'An episode bootstrap needs outcomes of the same episodes.');
  const right = outcomes.map((text) => Uint8Array.from(text, (outcome) => (outcome === '1' ? 1 : 0)));
  const shareOf = (row: Uint8Array, counts: Uint16Array): number =>
    row.reduce((sum, x, i) => sum + x * counts[i]!, 0) / n;
  return Float64Array.from(resamples(n, draws, ['episodes', ...key]), (counts) =>
    statistic(right.map((row) => shareOf(row, counts))),
  );
}

/** The same where only counts are known: every checkpoint's count is drawn anew from its own binomial. */
export function bootstrapCounts(
  proportions: readonly { correct: number; n: number }[],
  statistic: (shares: readonly number[]) => number,
  key: readonly (string | number)[],
  draws = DEFAULT_DRAWS,
): Float64Array {
  const random = new Philox('countBootstrap', ...key);
  const drawShare = ({ correct, n }: { correct: number; n: number }): number => {
    let count = 0;
    for (let i = 0; i < n; i++) if (random.int(n) < correct) count++;
    return count / n;
  };
  return Float64Array.from({ length: draws }, () => statistic(proportions.map(drawShare)));
}

export interface SeedOutcomes {
  /** Outcomes that are averaged, and those that are subtracted (absent: none). */
  plus: string;
  minus?: string | undefined;
}

/**
 * Mean over training seeds of share(plus) - share(minus), with seeds and episodes drawn crosswise: the seeds of a study
 * answer the same frozen episodes, so that one draw of episodes serves all drawn seeds. With two or three seeds such an
 * interval is rough, and says so by its width. @throws INVALID_REQUEST fewer than two seeds or unequal episodes
 */
export function hierarchicalBootstrap(
  seeds: readonly SeedOutcomes[],
  level: number,
  key: readonly (string | number)[],
  draws = DEFAULT_DRAWS,
): Bounds {
  const n = seeds[0]?.plus.length ?? 0;
  if (
    seeds.length < 2 ||
    n === 0 ||
    seeds.some(({ plus, minus }) => plus.length !== n || (minus !== undefined && minus.length !== n))
  )
    throw new AppError('INVALID_REQUEST', 'A bootstrap over seeds needs two seeds or more on the same episodes.');
  const score = (outcome: string | undefined): number => (outcome === '1' ? 1 : 0);
  const differences = seeds.map(({ plus, minus }) =>
    Int8Array.from({ length: n }, (_, i) => score(plus[i]) - score(minus?.[i])),
  );
  const seedDraws = resamples(seeds.length, draws, ['seeds', ...key]);
  const values = Float64Array.from(resamples(n, draws, ['episodes', ...key]), (episodes, draw) => {
    let sum = 0;
    for (const [s, times] of seedDraws[draw]!.entries())
      if (times > 0) sum += times * differences[s]!.reduce((total, x, i) => total + x * episodes[i]!, 0);
    return sum / (n * seeds.length);
  });
  return percentiles(values, level);
}
