/**
 * The difference of two accuracies as a verdict reads it. Paired (exact McNemar, episode bootstrap) where both answered
 * the same episodes, else unpaired (Newcombe).
 *
 * A claim with a direction is tested one-sided at 5 %: the lower end of the 90 % interval lies above 0. A change that may go
 * either way is tested two-sided at 5 %: the 95 % interval excludes 0. Where it is paired the exact test has to agree: the
 * bootstrap alone is too sure of a handful of episodes.
 */
import type { Difference } from '../../contract/studyResult.ts';
import { pairedDifferenceInterval } from './bootstrap.ts';
import { exactMcNemar, newcombe, newcombeP, share, type Bounds, type Proportion } from './proportions.ts';

/** `outcomes` as in the contract: '1' right, '0' wrong, in the frozen order. */
export interface Accuracy extends Proportion {
  outcomes?: string | undefined;
}

export type Alternative = 'greater' | 'twoSided';

export const SIGNIFICANCE = 0.05;

/** share(a) - share(b). `separated` with alternative 'greater' says "a is above b", with 'twoSided' "a and b differ". */
export function accuracyDifference(a: Accuracy, b: Accuracy, alternative: Alternative): Difference {
  const level = alternative === 'greater' ? 1 - 2 * SIGNIFICANCE : 1 - SIGNIFICANCE;
  const paired = arePaired(a, b);
  const bounds = paired ? pairedDifferenceInterval(a.outcomes!, b.outcomes!, level) : newcombe(a, b, level);
  const pValue = paired ? pairedP(a.outcomes!, b.outcomes!, alternative) : unpairedP(a, b, alternative);
  const percent = Math.round(100 * level);
  const covers = paired
    ? `${percent} % paired bootstrap, ${a.n} episodes`
    : `${percent} % Newcombe, ${a.n} and ${b.n} episodes`;
  return {
    difference: share(a) - share(b),
    interval: { ...bounds, covers },
    pValue,
    separated: excludesZero(bounds, alternative) && pValue <= SIGNIFICANCE,
  };
}

export function arePaired(a: Accuracy, b: Accuracy): boolean {
  return hasOutcomes(a) && hasOutcomes(b) && a.n === b.n;
}

export function hasOutcomes(a: Accuracy): a is Accuracy & { outcomes: string } {
  return a.outcomes !== undefined && a.outcomes.length === a.n;
}

function excludesZero({ low, high }: Bounds, alternative: Alternative): boolean {
  return low > 0 || (alternative === 'twoSided' && high < 0);
}

function pairedP(a: string, b: string, alternative: Alternative): number {
  const { pGreater, pTwoSided } = exactMcNemar(a, b);
  return alternative === 'greater' ? pGreater : pTwoSided;
}

function unpairedP(a: Proportion, b: Proportion, alternative: Alternative): number {
  const pGreater = newcombeP(a, b);
  return alternative === 'greater' ? pGreater : Math.min(1, 2 * Math.min(pGreater, 1 - pGreater));
}
