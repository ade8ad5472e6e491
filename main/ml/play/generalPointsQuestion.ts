/** A hand of four cards and a target, typed: "A 8 J K" and 24. */
import { AppError } from '../../contract/errors.ts';
import type { PlayField } from '../../contract/play.ts';
import { cardName, cardRank, cardValue, cardsInHand } from '../tasks/generalPoints/cards.ts';
import { generalPoints, type Hand } from '../tasks/generalPoints/generalPoints.ts';
import { isSolvable, solveHand } from '../tasks/generalPoints/solver.ts';
import type { Split } from '../tasks/task.ts';
import { type TextQuestion, typedEpisode } from './textPlay.ts';
import { fieldValue } from './fieldValue.ts';

const largestTarget = 1000;
const publishedTarget = 24;

const cardsField: PlayField = {
  name: 'cards',
  label: 'Cards',
  choices: [],
  hint: 'Four cards, each A, 2 to 10, J, Q or K: "A 8 J K".',
};
const targetField: PlayField = {
  name: 'target',
  label: 'Target',
  choices: [],
  hint: `A number from 1 to ${largestTarget}.`,
  initial: String(publishedTarget),
};

const numbersOf = (ranks: readonly number[], split: Split): number[] => ranks.map((rank) => cardValue(rank, split));

function ranksOf(inputs: Record<string, string>): number[] {
  const ranks = fieldValue(cardsField, inputs)
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(cardRank);
  if (ranks.length === cardsInHand && ranks.every((rank) => rank !== null)) return ranks;
  throw new AppError('INVALID_REQUEST', 'These are not four cards.', { hint: cardsField.hint });
}

function targetOf(inputs: Record<string, string>): number {
  const target = Number(fieldValue(targetField, inputs));
  if (Number.isInteger(target) && target >= 1 && target <= largestTarget) return target;
  throw new AppError('INVALID_REQUEST', 'The target is not possible.', { hint: targetField.hint });
}

export const generalPointsQuestion: TextQuestion = {
  name: 'generalPoints',
  fields: [cardsField, targetField],
  rules: { inDist: 'J, Q and K count as 10', ood: 'J, Q and K count as 11, 12 and 13' },
  rightWords: 'The formula gives the target and uses each card once.',
  example(random) {
    for (;;) {
      const ranks = [11 + random.int(3), 1 + random.int(13), 1 + random.int(13), 1 + random.int(13)];
      // One that can be solved under either rule.
      const solvable = (split: Split): boolean => isSolvable(numbersOf(ranks, split), publishedTarget);
      if (!solvable('inDist') || !solvable('ood')) continue;
      const shuffled = Array.from(random.permutation(cardsInHand), (i) => cardName(ranks[i]!));
      return { cards: shuffled.join(' '), target: String(publishedTarget) };
    }
  },
  ask(inputs, split) {
    const [ranks, target] = [ranksOf(inputs), targetOf(inputs)];
    const task = generalPoints({ target });
    const [formula = ''] = solveHand(numbersOf(ranks, split), target);
    return { task, episode: typedEpisode(task, split, { ranks, formula } satisfies Hand), position: 0 };
  },
};
