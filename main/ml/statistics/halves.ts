/**
 * The frozen episodes of a split in two halves: the first n/2 select the peak, the rest report it and everything else.
 * One half for all figures of a paragraph keeps a checkpoint at one number in it.
 */
import type { SplitScore } from '../../contract/evaluation.ts';
import type { Accuracy } from './difference.ts';

export type Half = 'select' | 'report';

/** Where only counts are known (a published curve), both halves are the whole. */
export function halfOf({ n, correct, outcomes }: Pick<SplitScore, 'n' | 'correct' | 'outcomes'>, half: Half): Accuracy {
  if (outcomes.length !== n || n < 2) return { n, correct };
  const middle = Math.floor(n / 2);
  const text = half === 'select' ? outcomes.slice(0, middle) : outcomes.slice(middle);
  return { n: text.length, correct: text.length - text.replaceAll('1', '').length, outcomes: text };
}
