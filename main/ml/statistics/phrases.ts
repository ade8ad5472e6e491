/** Numbers as the sentences of a study write them. */
import type { Difference, Interval } from '../../contract/studyResult.ts';

/** 0.3167 -> "31.7 %". */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** 0.2134 -> "+21.3 points", -0.03 -> "-3.0 points". */
export function points(difference: number): string {
  return `${signed(difference)} points`;
}

function signed(difference: number): string {
  const text = (100 * difference).toFixed(1);
  return Number(text) > 0 ? `+${text}` : text.replace(/^-0\.0$/, '0.0');
}

export function pText(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

/** "+21.3 points (90 %, episodes: +15.0 to +27.3; p < 0.001)". */
export function differenceText({ difference, interval, pValue }: Difference): string {
  return `${points(difference)} (${intervalOfPoints(interval)}; ${pText(pValue)})`;
}

export function intervalOfPoints(interval: Interval): string {
  return `${brief(interval)}: ${signed(interval.low)} to ${signed(interval.high)}`;
}

export function intervalOfShares(interval: Interval): string {
  return `${brief(interval)}: ${percent(interval.low)} to ${percent(interval.high)}`;
}

/** Level and what is covered; method and counts stand in the interval itself and in the last sentence of a study. */
function brief({ covers }: Interval): string {
  const level = /^\d+ %/.exec(covers)?.[0] ?? covers;
  return `${level}, ${covers.includes('seeds') ? 'seeds and episodes' : 'episodes'}`;
}

/** [1, 2, 3] -> "1, 2 and 3"; [] -> "none". */
export function list(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.length === 0 ? 'none' : String(items[0]);
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

export function steps(items: readonly number[]): string {
  return `${items.length === 1 ? 'step' : 'steps'} ${list(items)}`;
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
