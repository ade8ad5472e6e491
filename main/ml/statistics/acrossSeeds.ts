/** What holds over the training seeds: per contrast each seed's value, their mean, and a bootstrap over seeds x episodes. */
import type { Interval, SeedResult, StudyResult } from '../../contract/studyResult.ts';
import { hierarchicalBootstrap } from './bootstrap.ts';
import { contrastsOf, type Contrast } from './contrasts.ts';
import { hasOutcomes } from './difference.ts';
import { share } from './proportions.ts';

const LEVEL = 0.95;

export interface AcrossRow {
  key: string;
  name: string;
  perSeed: number[];
  mean: number;
  /** Null for a single seed, and where the seeds did not answer the same episodes. */
  interval: Interval | null;
}

/** One row per contrast that at least one seed has, in the order of the first seed that has it. */
export function rowsAcrossSeeds(seeds: readonly SeedResult[]): AcrossRow[] {
  const byKey = new Map<string, Contrast[]>();
  for (const seed of seeds) {
    if (seed.sft.length === 0) continue;
    for (const contrast of contrastsOf(seed)) byKey.set(contrast.key, [...(byKey.get(contrast.key) ?? []), contrast]);
  }
  return [...byKey].map(([key, contrasts]) => {
    const perSeed = contrasts.map(({ plus, minus }) => share(plus) - (minus ? share(minus) : 0));
    const mean = perSeed.reduce((sum, value) => sum + value, 0) / perSeed.length;
    return { key, name: contrasts[0]!.name, perSeed, mean, interval: intervalOver(contrasts) };
  });
}

function intervalOver(contrasts: readonly Contrast[]): Interval | null {
  const n = contrasts[0]!.plus.n;
  const comparable = contrasts.every(
    ({ plus, minus }) => hasOutcomes(plus) && plus.n === n && (!minus || (hasOutcomes(minus) && minus.n === n)),
  );
  if (contrasts.length < 2 || !comparable) return null;
  const outcomes = contrasts.map(({ plus, minus }) => ({ plus: plus.outcomes!, minus: minus?.outcomes }));
  return {
    ...hierarchicalBootstrap(outcomes, LEVEL, ['study']),
    covers: `95 % bootstrap over ${contrasts.length} seeds x ${n} episodes`,
  };
}

/** Null while no seed has been evaluated. */
export function acrossSeeds(seeds: readonly SeedResult[]): StudyResult['across'] {
  const rows = rowsAcrossSeeds(seeds).map(({ name, perSeed, mean, interval }) => ({ name, perSeed, mean, interval }));
  return rows.length === 0 ? null : { rows };
}
