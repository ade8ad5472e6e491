/** One answer as it is shown, from its first token on. */
import type { PlayAnswer, PlayToken } from '../../../main/contract/play.ts';
import { percent } from '../../figures/quantities.ts';

export interface ShownAnswer {
  name: string;
  tokens: readonly PlayToken[];
  /** Null until it is whole. */
  answer: PlayAnswer | null;
  state: 'waiting' | 'answering' | 'done' | 'cancelled' | 'failed';
}

const tokenCount = (count: number): string => (count === 1 ? '1 token' : `${count.toLocaleString('en')} tokens`);

/** "128 tokens, ended by the model." */
export function endWords({ state, tokens, answer }: ShownAnswer): string {
  const count = tokenCount(tokens.length);
  if (state === 'waiting') return 'Waits for the other answer.';
  if (state === 'cancelled') return `Cancelled after ${count}.`;
  if (state === 'failed') return 'No answer.';
  if (answer === null)
    return tokens.length === 0 ? 'Reading the question; the model is loaded first.' : `${count} so far.`;
  return `${count}, ${answer.ended ? 'ended by the model' : 'cut off at the most tokens'}.`;
}

/** "440 tokens", and when that is more than the model was made for. */
export function promptWords({ promptTokens, positions }: PlayAnswer): string {
  const count = tokenCount(promptTokens);
  return promptTokens <= positions ? count : `${count}; its configuration is for ${positions.toLocaleString('en')}`;
}

export type Certainty = 'sure' | 'less' | 'unsure' | 'rare';

/** By the probability of a token: what is shaded how. */
export function certaintyOf(probability: number): Certainty {
  if (probability >= 0.9) return 'sure';
  if (probability >= 0.5) return 'less';
  return probability >= 0.1 ? 'unsure' : 'rare';
}

/** A token in one line: line ends and blanks at its ends can be seen. */
export function visible(text: string): string {
  if (text === '') return '·';
  return text.replace(/\n/g, '↵').replace(/^ +| +$/g, (blanks) => '␣'.repeat(blanks.length));
}

/** Index of the first token that two answers differ in; null while they agree. */
export function partingAt(a: readonly PlayToken[], b: readonly PlayToken[]): number | null {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i += 1) if (a[i]!.text !== b[i]!.text) return i;
  return null;
}

/** The least sure token: where the answer might have gone another way. */
export function leastSureWords(tokens: readonly PlayToken[]): string {
  const least = tokens.reduce((one, token) => (token.probability < one.probability ? token : one));
  return `${visible(least.text)}, ${percent(least.probability)}`;
}
