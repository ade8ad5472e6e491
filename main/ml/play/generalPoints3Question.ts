/** A hand of three cards and a target, typed: "J 5 K" and 24. */
import { AppError } from '../../contract/errors.ts';
import type { PlayField } from '../../contract/play.ts';
import {
  cardValue,
  evaluateSolution,
  handEpisode,
  largestTarget,
  solutions,
  type Triple,
} from '../tasks/generalPoints3.ts';
import type { Episode, Split } from '../tasks/task.ts';
import { fieldValue } from './fieldValue.ts';
import type { TokenQuestion } from './tokenPlay.ts';

const faces = ['J', 'Q', 'K'];
const rankText = (rank: number): string => faces[rank - 11] ?? String(rank);

const cardsField: PlayField = {
  name: 'cards',
  label: 'Cards',
  choices: [],
  hint: 'Three cards, each 1 to 10, J, Q or K: "J 5 K". A is 1.',
};
const targetField: PlayField = {
  name: 'target',
  label: 'Target',
  choices: [],
  hint: `A number from 1 to ${largestTarget}.`,
};

function rankOf(text: string): number {
  const upper = text.toUpperCase();
  const face = faces.indexOf(upper);
  const rank = upper === 'A' ? 1 : face >= 0 ? 11 + face : /^\d+$/.test(upper) ? Number(upper) : 0;
  return rank >= 1 && rank <= 10 + faces.length ? rank : 0;
}

function handOf(inputs: Record<string, string>): { cards: Triple; target: number } {
  const cards = fieldValue(cardsField, inputs)
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(rankOf);
  if (cards.length !== 3 || cards.includes(0))
    throw new AppError('INVALID_REQUEST', 'These are not three cards.', { hint: cardsField.hint });
  const target = Number(fieldValue(targetField, inputs));
  if (!Number.isInteger(target) || target < 1 || target > largestTarget)
    throw new AppError('INVALID_REQUEST', 'The target is not possible.', { hint: targetField.hint });
  return { cards: cards as Triple, target };
}

const sorted = (values: readonly (number | string)[]): string =>
  [...values]
    .map(Number)
    .sort((p, q) => p - q)
    .join(' ');

/** What is wrong with a formula whose form and numbers are right. @param words `( a o b ) o c = t` at 9 .. 17 */
function formulaFault(words: readonly string[], numbers: Triple, target: number): string {
  const [a, b, c] = [words[10]!, words[12]!, words[15]!];
  const formula = words.slice(9, 16).join(' ');
  if (sorted([a, b, c]) !== sorted(numbers))
    return `${formula} does not use the numbers ${numbers.join(', ')} once each.`;
  const operator = (word: string): number => ['+', '-', '*'].indexOf(word);
  const [firstOperator, secondOperator] = [operator(words[11]!), operator(words[14]!)];
  const value = evaluateSolution({ a: Number(a), b: Number(b), c: Number(c), firstOperator, secondOperator });
  if (value !== target) return `${formula} is ${value}, not ${target}.`;
  return `The formula is right, but it says = ${words[17]} instead of = ${target}.`;
}

export const generalPoints3Question: TokenQuestion = {
  label: 'GeneralPoints, three cards',
  fields: [cardsField, targetField],
  rules: { inDist: 'J, Q and K count as 10', ood: 'J, Q and K count as 11, 12 and 13' },
  example(random) {
    for (;;) {
      const cards: Triple = [11 + random.int(3), 1 + random.int(13), 1 + random.int(13)];
      const reach = (split: Split): Set<number> =>
        new Set(solutions(cards.map((rank) => cardValue(rank, split)) as Triple).keys());
      const other = reach('ood');
      // One that can be solved under either rule.
      const targets = [...reach('inDist')].filter((target) => other.has(target));
      if (targets.length === 0) continue;
      return { cards: cards.map(rankText).join(' '), target: String(random.choice(targets)) };
    }
  },
  episode(inputs, split) {
    const { cards, target } = handOf(inputs);
    return handEpisode(cards, target, split);
  },
  reason({ problem, split }: Episode, words, { formatOk, numberOk, correct, ruleSlip }) {
    const { cards, target } = problem as { cards: Triple; target: number };
    const numbers = cards.map((rank) => cardValue(rank, split)) as Triple;
    if (correct) return `${words.slice(9, 18).join(' ')}, with each number used once.`;
    if (ruleSlip) return 'It would be right under the rule of the other split.';
    if (!formatOk) return 'Not of the form CARDS c c c NUMBER n n n FORMULA ( a o b ) o c = t.';
    if (!numberOk) return `NUMBER ${words.slice(5, 8).join(' ')} should be ${numbers.join(' ')} under this rule.`;
    const asked = cards.map(rankText).join(' ');
    if (words.slice(1, 4).join(' ') !== asked) return `CARDS ${words.slice(1, 4).join(' ')} should be ${asked}.`;
    return formulaFault(words, numbers, target);
  },
};
