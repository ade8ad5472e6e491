/** The edited models of a sweep whose answers were kept, in the order of the plan: target and reference of a pair first. */
import type { SweepResult } from '../../../main/contract/sweeps.ts';
import type { AnswerSource, SourceGroup } from '../answers/answerAddress.ts';
import { pointWords } from './pointWords.ts';
import { endNames } from './sweepPoints.ts';

export function answerSources({ pairs, points, settings }: SweepResult): SourceGroup[] {
  const groups = pairs.map(({ label }, pair) => {
    const ends = endNames({ pairs }, pair);
    const sources = points.flatMap((point): AnswerSource[] => {
      if (point.pair !== pair || point.answers === undefined) return [];
      const words = pointWords(point, settings, ends);
      const title = pairs.length > 1 ? `${label}: ${words}` : words;
      return [{ id: point.key, label: words, title, place: point.answers }];
    });
    return { label, sources };
  });
  return groups.filter(({ sources }) => sources.length > 0);
}
