/**
 * What each token of a generated answer weighs in its log-probability. In the published runs the tokens before the field
 * of the result weigh half: log pi(a) = 0.5 * (tokens before) + (tokens from there on).
 */
import type { ReferenceAnswer } from '../tasks/textTask.ts';
import type { ChatCodec } from '../text/chatCodec.ts';

/**
 * @param reference of the same question: its last field is the one that counts in full
 * @param answer tokens, with the one that ended it
 * @param prefixWeight of the tokens before that field, which are all where the answer has no such field
 * @returns [answer.length]
 */
export function answerWeights(
  codec: ChatCodec,
  reference: ReferenceAnswer,
  answer: readonly number[],
  prefixWeight: number,
): number[] {
  if (prefixWeight === 1) return answer.map(() => 1);
  const end = answer.findIndex((id) => codec.stopIds.includes(id));
  const ids = end < 0 ? answer : answer.slice(0, end);
  const field = /.*("[^"]+":)/s.exec(reference.text.slice(0, reference.forcedChars))?.[1];
  const at = field === undefined ? -1 : codec.tokenizer.decode(ids).indexOf(field);
  const counts = (start: number): boolean => at >= 0 && start >= at;
  const starts = [...codec.startsOf(ids), ...answer.slice(ids.length).map(() => Infinity)];
  return starts.map((start) => (counts(start) ? 1 : prefixWeight));
}
