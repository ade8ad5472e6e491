/** An answer written from its parts, so that each step knows where it stands in the text. */
import type { AnswerStep } from './task.ts';
import type { AnswerSpan, ReferenceAnswer } from './textTask.ts';

export type AnswerPart = readonly [step: AnswerStep, text: string];

/** @param parts in order; everything before the last `formula` part is given in forced evaluation */
export function writeAnswer(parts: readonly AnswerPart[]): ReferenceAnswer {
  const spans: AnswerSpan[] = [];
  let text = '';
  let forcedChars = 0;
  for (const [step, part] of parts) {
    if (step === 'formula') forcedChars = text.length;
    const last = spans.at(-1);
    if (last?.step === step) last.end += part.length;
    else if (part !== '') spans.push({ step, start: text.length, end: text.length + part.length });
    text += part;
  }
  return { text, spans, forcedChars };
}

/** The step of a token that begins at this character; `format` past the end (an end token). */
export function stepAt(answer: ReferenceAnswer, char: number): AnswerStep {
  return answer.spans.find(({ start, end }) => char >= start && char < end)?.step ?? 'format';
}
