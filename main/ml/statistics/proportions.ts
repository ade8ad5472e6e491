/** Proportions and their differences: Wilson (1927), Newcombe's hybrid score interval (1998, method 10), exact McNemar (1947). */
import { AppError } from '../../contract/errors.ts';
import { wilsonInterval } from '../../contract/wilson.ts';
import { episodesNeeded } from '../../contract/episodesNeeded.ts';
import { normalCdf, zOfLevel } from '../../contract/normal.ts';

/** `correct` of `n` episodes. */
export interface Proportion {
  correct: number;
  n: number;
}

export interface Bounds {
  low: number;
  high: number;
}

export function share({ correct, n }: Proportion): number {
  return correct / n;
}

function requireProportion({ correct, n }: Proportion): void {
  if (Number.isInteger(n) && n >= 1 && correct >= 0 && correct <= n) return;
  throw new AppError('INVALID_REQUEST', `${correct} right of ${n} episodes is no proportion.`);
}

/** Score interval of one proportion; within [0, 1]. @throws INVALID_REQUEST */
export function wilson(proportion: Proportion, level = 0.95): Bounds {
  requireProportion(proportion);
  return wilsonAt(proportion, zOfLevel(level));
}

function wilsonAt({ correct, n }: Proportion, z: number): Bounds {
  const [low, high] = wilsonInterval(correct, n, z);
  return { low, high };
}

/** Interval of p_a - p_b for two independent sets of episodes; within [-1, 1]. @throws INVALID_REQUEST */
export function newcombe(a: Proportion, b: Proportion, level = 0.95): Bounds {
  requireProportion(a);
  requireProportion(b);
  return newcombeAt(a, b, zOfLevel(level));
}

function newcombeAt(a: Proportion, b: Proportion, z: number): Bounds {
  const [pa, pb] = [share(a), share(b)];
  const [wa, wb] = [wilsonAt(a, z), wilsonAt(b, z)];
  return {
    low: pa - pb - Math.hypot(pa - wa.low, wb.high - pb),
    high: pa - pb + Math.hypot(wa.high - pa, pb - wb.low),
  };
}

/**
 * One-sided p of p_a > p_b for independent episodes: the level at which Newcombe's lower end reaches 0, so that
 * p < 0.05 says the same as a 90 % interval above 0. 1 - p of the other direction when a is not above b.
 */
export function newcombeP(a: Proportion, b: Proportion): number {
  requireProportion(a);
  requireProportion(b);
  if (share(a) === share(b)) return 0.5;
  if (share(a) < share(b)) return 1 - newcombeP(b, a);
  let [low, high] = [0, 40];
  while (high - low > 1e-12) {
    const z = (low + high) / 2;
    if (newcombeAt(a, b, z).low > 0) low = z;
    else high = z;
  }
  return normalCdf(-(low + high) / 2);
}

export interface McNemar {
  /** Episodes that only a, only b has right. */
  onlyA: number;
  onlyB: number;
  /** Exact, of "a is right more often than b". */
  pGreater: number;
  pTwoSided: number;
}

/** Outcomes of the same episodes in the same order, '1' right and '0' wrong. @throws INVALID_REQUEST unequal lengths */
export function exactMcNemar(a: string, b: string): McNemar {
  if (a.length !== b.length)
    throw new AppError('INVALID_REQUEST', `A paired test needs the same episodes, not ${a.length} and ${b.length}.`);
  let [onlyA, onlyB] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (a[i] === '1' && b[i] === '0') onlyA++;
    if (a[i] === '0' && b[i] === '1') onlyB++;
  }
  const pGreater = binomialUpperTail(onlyA, onlyA + onlyB);
  const pTwoSided = Math.min(1, 2 * Math.min(pGreater, binomialUpperTail(onlyB, onlyA + onlyB)));
  return { onlyA, onlyB, pGreater, pTwoSided };
}

/** P(X >= k) for X ~ Binomial(n, 1/2). */
function binomialUpperTail(k: number, n: number): number {
  // 2^-n is exact down to 2^-1074; further out the terms go by logarithms
  const byLogarithms = n > 1000;
  let term = byLogarithms ? -n * Math.LN2 : 2 ** -n;
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += byLogarithms ? Math.exp(term) : term;
    if (byLogarithms) term += Math.log(n - i) - Math.log(i + 1);
    else term *= (n - i) / (i + 1);
  }
  return Math.min(1, sum);
}

/** Holm's step-down: which of the p-values are separated at family-wise level alpha. */
export function holm(pValues: readonly number[], alpha = 0.05): boolean[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!);
  const separated = new Array<boolean>(pValues.length).fill(false);
  for (const [rank, i] of order.entries()) {
    if (pValues[i]! > alpha / (pValues.length - rank)) break;
    separated[i] = true;
  }
  return separated;
}

/** Episodes per arm that would separate these two proportions: two-sided 5 %, power 80 %, unpaired. Infinity when equal. */
export function episodesPerArm(a: Proportion, b: Proportion): number {
  return episodesNeeded(share(a), share(b), { sides: 2 });
}
