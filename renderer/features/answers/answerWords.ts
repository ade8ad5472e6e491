/** One answer in words: of the list, of the panel, and for the clipboard. */
import type { AnswerSample, SampleFilter, SampleKind } from '../../../main/contract/samples.ts';
import { decimal } from '../../figures/quantities.ts';

export const kindLabels: Record<SampleKind, string> = {
  answer: 'Counted answers',
  forced: 'Forced (beginning given)',
  passAtK: 'Samples for pass@k',
};
export const filterLabels: Record<SampleFilter, string> = {
  all: 'All',
  right: 'Right',
  wrong: 'Wrong',
  slip: 'Rule slips',
};

/** Verdict of the list: a mark and a word, never colour alone. */
export function mark({ correct, ruleSlip }: Pick<AnswerSample, 'correct' | 'ruleSlip'>): {
  sign: string;
  word: string;
  tone: 'good' | 'warn' | 'bad';
} {
  if (correct) return { sign: '✓', word: 'right', tone: 'good' };
  return ruleSlip
    ? { sign: '≈', word: 'rule slip: right under the other rule', tone: 'warn' }
    : { sign: '✕', word: 'wrong', tone: 'bad' };
}

/** "episode 12, attempt 2, sample 3". */
export function placeOf({ episode, turn, sample, kind }: AnswerSample): string {
  const attempt = kind === 'forced' ? (turn === 0 ? '' : `, position ${turn + 1}`) : `, answer ${turn + 1}`;
  return `episode ${episode + 1}${turn === 0 && kind !== 'forced' ? '' : attempt}${kind === 'passAtK' ? `, sample ${sample + 1}` : ''}`;
}

/** The given beginning and what the model wrote; an answer that does not begin with it is shown whole. */
export function answerParts({ given, answer }: AnswerSample): { given: string; written: string } {
  return answer.startsWith(given) ? { given, written: answer.slice(given.length) } : { given: '', written: answer };
}

/** The verdict as one line: "CORRECT_SOLUTION, reward 1", "INCORRECT_NUMBER (number_unused), reward -1". */
export function verdictLine({ verdict, reason, correct, reward, ended }: AnswerSample): string {
  const why = correct || reason === '' || reason === 'ok' ? '' : ` (${reason})`;
  return `${verdict}${why}, reward ${decimal(reward)}${ended ? '' : ', cut off at the most tokens'}`;
}

/** Dialogue, answer and verdict, as plain text. */
export function sampleText(sample: AnswerSample): string {
  const { given, written } = answerParts(sample);
  const dialogue = sample.messages.map(({ role, content }) => `[${role}]\n${content}`);
  const beginning = given === '' ? '' : `[given]\n${given}\n`;
  return [...dialogue, `${beginning}[answer]\n${written}`, `[verdict]\n${verdictLine(sample)}`].join('\n\n');
}

/** Of the answers to one episode at another checkpoint the one that stands at the same place, else the last one. */
export function counterpart(sample: AnswerSample, others: readonly AnswerSample[]): AnswerSample | null {
  const sameDialogue = others.filter((one) => one.sample === sample.sample);
  return sameDialogue.find(({ turn }) => turn === sample.turn) ?? sameDialogue[sameDialogue.length - 1] ?? null;
}
