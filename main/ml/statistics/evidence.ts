/** One test per contrast, the same question asked of one seed (paired, episodes) or of several (seeds x episodes). */
import type { Interval, SeedResult } from '../../contract/studyResult.ts';
import { rowsAcrossSeeds } from './acrossSeeds.ts';
import { contrastsOf, type RecoveryArm } from './contrasts.ts';
import { accuracyDifference, hasOutcomes } from './difference.ts';
import { intervalOfPoints, points, pText } from './phrases.ts';
import { armLabels } from './verdictWords.ts';

export interface TestedContrast {
  difference: number;
  interval: Interval;
  /** Of a single seed. */
  pValue: number | null;
  separatedAbove: boolean;
  separatedBelow: boolean;
}

export class Evidence {
  readonly seeds: number;
  /** Episodes of the reporting half. */
  readonly episodes: number;
  /** Outcomes are known, so that the same episodes were compared one by one. */
  readonly paired: boolean;
  readonly #tests: ReadonlyMap<string, TestedContrast>;

  constructor(seeds: number, episodes: number, paired: boolean, tests: ReadonlyMap<string, TestedContrast>) {
    this.seeds = seeds;
    this.episodes = episodes;
    this.paired = paired;
    this.#tests = tests;
  }

  /** "In this run" or "Over these 3 seeds". */
  get where(): string {
    return this.seeds === 1 ? 'In this run' : `Over these ${this.seeds} seeds`;
  }

  /** Undefined where the checkpoints were not evaluated. */
  test(key: string): TestedContrast | undefined {
    return this.#tests.get(key);
  }

  label(arm: RecoveryArm): string {
    return armLabels[arm];
  }

  /** "+21.3 points (95 % ...: +15.0 to +27.3)"; empty where there is none. */
  text(key: string): string {
    const test = this.#tests.get(key);
    if (!test) return '';
    const p = test.pValue === null ? '' : `; ${pText(test.pValue)}`;
    return `${points(test.difference)} (${intervalOfPoints(test.interval)}${p})`;
  }

  /** A sentence around the figure, which says when it is not separated from 0; none where nothing was evaluated. */
  sentence(key: string, subject: string, { perSeed }: { perSeed?: string } = {}): string[] {
    const test = this.#tests.get(key);
    if (!test) return [];
    const separated = test.separatedAbove || test.separatedBelow ? '' : ', not separated from 0';
    // a fall is a positive number of points already
    const text = key.startsWith('fall.') ? this.text(key).replace(/^\+/, '') : this.text(key);
    return [`${subject} by ${text}${separated}${perSeed ? `; ${perSeed}` : ''}.`];
  }
}

/** @param seeds evaluated at least up to SFT_End */
export function evidenceOf(seeds: readonly SeedResult[]): Evidence {
  const first = seeds[0];
  const tests = seeds.length === 1 && first ? testsOfOne(first) : testsOverSeeds(seeds);
  const contrasts = first ? contrastsOf(first) : [];
  const [any] = contrasts;
  return new Evidence(seeds.length, any?.plus.n ?? 0, any !== undefined && hasOutcomes(any.plus), tests);
}

function testsOfOne(seed: SeedResult): Map<string, TestedContrast> {
  const tests = new Map<string, TestedContrast>();
  for (const { key, plus, minus, alternative } of contrastsOf(seed)) {
    if (!minus) continue;
    const { difference, interval, pValue, separated } = accuracyDifference(plus, minus, alternative);
    tests.set(key, {
      difference,
      interval,
      pValue,
      separatedAbove: separated && difference > 0,
      separatedBelow: separated && difference < 0,
    });
  }
  return tests;
}

/** Separated over seeds: the interval of seeds x episodes excludes 0. */
function testsOverSeeds(seeds: readonly SeedResult[]): Map<string, TestedContrast> {
  const tests = new Map<string, TestedContrast>();
  for (const { key, mean, interval } of rowsAcrossSeeds(seeds)) {
    if (!interval || key.startsWith('level.')) continue;
    tests.set(key, {
      difference: mean,
      interval,
      pValue: null,
      separatedAbove: interval.low > 0,
      separatedBelow: interval.high < 0,
    });
  }
  return tests;
}
