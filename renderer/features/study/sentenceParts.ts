/** Splits the engine's sentences, so that the eye can skip intervals and p-values and still find them. */

export interface SentencePart {
  text: string;
  /** An interval, a p-value: what backs the claim beside it. */
  isStatistic: boolean;
}

const innermostParentheses = /(\([^()]*\))/;
/** "95 %, episodes: ...", "p = 0.037", "p < 0.001". */
const statistic = /\d %, |\bp [=<]/;

/** The parts in order; joined they are the sentence. Parentheses that say something else stay with the text. */
export function sentenceParts(sentence: string): SentencePart[] {
  const parts: SentencePart[] = [];
  for (const text of sentence.split(innermostParentheses)) {
    const isStatistic = text.startsWith('(') && statistic.test(text);
    const last = parts[parts.length - 1];
    if (last !== undefined && last.isStatistic === isStatistic) last.text += text;
    else if (text !== '') parts.push({ text, isStatistic });
  }
  return parts;
}
