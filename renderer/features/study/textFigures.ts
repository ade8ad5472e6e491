/** Figures that only a task in text has: what its answers are like, and what is in reach of several. */
import type { StudyResult } from '../../../main/contract/studyResult.ts';
import type { NamedFigure } from '../../figures/figure.ts';
import { answerFacts } from './charts/answerFacts.ts';
import { passAtK } from './charts/passAtK.ts';
import { seedView } from './charts/seedView.ts';

/** @param hasSamples the study draws several answers an episode */
export function textFigures(result: StudyResult | null, seed: number, hasSamples: boolean): NamedFigure[] {
  const view = seedView(result, seed);
  const drawn = view.several ? ' Thin: each seed. Thick: their mean.' : '';
  const empty = 'Appears with the first SFT checkpoint that is evaluated.';
  const facts: NamedFigure = {
    name: 'answerFacts',
    title: 'What the answers are like',
    note: `Shares of the held-out episodes, by their last answer. A rule can be applied right in an answer that is wrong, and a wrong one can end well.${drawn}`,
    empty,
    build: (frame) => answerFacts(view, frame),
  };
  const reach: NamedFigure = {
    name: 'passAtK',
    title: 'pass@k of sampled answers',
    note: 'Share of episodes that at least one of k independent answers solves, unbiased, at the checkpoints that the study names.',
    empty,
    build: (frame) => passAtK(view, frame),
  };
  return hasSamples ? [facts, reach] : [facts];
}
