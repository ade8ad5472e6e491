import { describe, expect, it } from 'vitest';
import { sentenceParts } from '../../../../../renderer/features/study/sentenceParts.ts';

const statistics = (sentence: string): string[] =>
  sentenceParts(sentence)
    .filter(({ isStatistic }) => isStatistic)
    .map(({ text }) => text);

const sentences = [
  'OOD accuracy falls to SFT_End (step 200) by 25.3 points (90 %, episodes: +20.7 to +30.0; p < 0.001).',
  'It has no separated effect (observed +0.3 points (95 %, episodes: -0.7 to +1.7; p = 1.000)).',
  'That is not more (19 norm-matched scrambled controls, -0.3 points to +0.7 points; p = 0.750). Alpha (0.3 % of the norm).',
  'RL (PPO + KL anchor to base) ends above.',
  '(90 %, seeds: 1 to 2)(95 %, seeds: 3 to 4)',
  'An opening ( alone, p = 0.1',
  '',
];

describe('sentenceParts', () => {
  it.each(sentences)('keeps every character: %s', (sentence) => {
    expect(
      sentenceParts(sentence)
        .map(({ text }) => text)
        .join(''),
    ).toBe(sentence);
  });
  it('finds intervals and p-values, and no other parentheses', () => {
    expect(sentences.map(statistics)).toEqual([
      ['(90 %, episodes: +20.7 to +30.0; p < 0.001)'],
      ['(95 %, episodes: -0.7 to +1.7; p = 1.000)'],
      ['(19 norm-matched scrambled controls, -0.3 points to +0.7 points; p = 0.750)'],
      [],
      ['(90 %, seeds: 1 to 2)(95 %, seeds: 3 to 4)'],
      [],
      [],
    ]);
  });
});
