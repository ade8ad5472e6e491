/**
 * GeneralPoints as published: four cards, one formula that gives the target, each card used once. inDist counts J, Q, K
 * as 10; ood as 11, 12, 13 and has at least one of them. Only hands with a solution are dealt. Prompt, card text, draws
 * and rewards are those of the published environment; the check is exact where its was in floating point, and every set
 * of hands is seeded and frozen.
 *
 * Held out is a class of hands: those whose numbers under the inDist rule are the same in any order. So no held-out
 * formula was seen in training with a 10 in place of a king, and both rules hold out the same cards.
 */
import type { Philox } from '../../random/philox.ts';
import { type AnswerPart, writeAnswer } from '../answerText.ts';
import { episodeSets } from '../episodeSets.ts';
import { defaultTestShare } from '../heldOut.ts';
import { revisionDialogue } from '../revisionDialogue.ts';
import type { Split } from '../task.ts';
import { type Message, type ProblemKeys, type TextEpisode, type TextTask } from '../textTask.ts';
import { cardName, cardRank, cardValue, cardsInHand, drawCards } from './cards.ts';
import { solveHand } from './solver.ts';
import { type GeneralPointsRewards, publishedRewards, verifyAnswer } from './verifyAnswer.ts';

export interface Hand {
  /** [4] ranks 1..13 in the order of the prompt. */
  ranks: readonly number[];
  /** One solution under the episode's rule, without "= target". */
  formula: string;
}

export interface GeneralPointsOptions {
  target?: number;
  /** Share of hands held out from training, in 0..1. */
  testShare?: number;
  rewards?: GeneralPointsRewards;
  /** Added to the last of several failed attempts. */
  stepLimitReward?: number;
  /** `published` ends with a trailing comma and quotes cards as Python does; `json` is strict JSON. */
  answerStyle?: 'published' | 'json';
}

export function generalPoints(options: GeneralPointsOptions = {}): TextTask<Hand> {
  const { target = 24, testShare = defaultTestShare, rewards = publishedRewards, stepLimitReward = -1 } = options;
  const numbersOf = (ranks: readonly number[], split: Split): number[] => ranks.map((rank) => cardValue(rank, split));

  const deal = (ranks: readonly number[], split: Split, random: Philox): Hand | null => {
    const solutions = solutionsOf(numbersOf(ranks, split), target);
    return solutions.length === 0 ? null : { ranks, formula: random.choice(solutions) };
  };
  const parts = (split: Split, { ranks, formula }: Hand): AnswerPart[] => {
    const quote = options.answerStyle === 'json' ? '"' : "'";
    const cards = ranks.map((rank) => `${quote}${cardName(rank)}${quote}`).join(', ');
    return [
      ['format', '{\n  "cards": ['],
      ['card', cards],
      ['format', '],\n  "number": ['],
      ['number', numbersOf(ranks, split).join(', ')],
      ['format', '],\n  "formula": "'],
      ['formula', `${formula}=${target}`],
      ['format', options.answerStyle === 'json' ? '"\n}' : '",\n}'],
    ];
  };
  const promptOf = ({ split, problem }: TextEpisode<Hand>): Message[] => [
    { role: 'user', content: promptText(problem.ranks, split, target) },
  ];
  const verify: TextTask<Hand>['verify'] = ({ split, problem }, answer) =>
    verifyAnswer(answer, problem.ranks, split, target, rewards);

  return {
    name: 'generalPoints',
    stepLabels: { format: 'format', card: 'cards', number: 'numbers', formula: 'formula' },
    feedbackAttempts: 5,
    hasRule: true,
    ...episodeSets<Hand>({
      name: 'generalPoints',
      testShare,
      draw: (split, random) => deal(drawCards(split, random), split, random),
      keys: ({ ranks }) => keysOf(ranks),
      heldOutKey: ({ ranks }) => ascending(numbersOf(ranks, 'inDist')).join(),
      underOtherRule: ({ ranks }, random) => deal(ranks, 'inDist', random),
    }),
    examples: (episode) => [{ prompt: promptOf(episode), answer: writeAnswer(parts(episode.split, episode.problem)) }],
    rightEndings: ({ split, problem }) =>
      solutionsOf(numbersOf(problem.ranks, split), target).map((formula) => `${formula}=${target}"`),
    verify,
    open: (episode, dialogue) =>
      revisionDialogue(
        { prompt: promptOf(episode), verify: (answer) => verify(episode, answer, 0), stepLimitReward },
        dialogue,
      ),
    keysOfPrompt,
  };
}

const solved = new Map<string, string[]>();

/** Every solution, remembered by target and numbers in any order: there are about 2,000 hands. */
function solutionsOf(numbers: readonly number[], target: number): string[] {
  const sorted = ascending(numbers);
  const key = `${target}: ${sorted.join()}`;
  const found = solved.get(key) ?? solveHand(sorted, target);
  solved.set(key, found);
  return found;
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const keysOf = (ranks: readonly number[]): ProblemKeys => ({
  multiset: ascending(ranks).map(cardName).join(' '),
  ordered: ranks.map(cardName).join(' '),
});

/** The published prompt, word for word; `split` decides the one clause that is the rule. */
export function promptText(ranks: readonly number[], split: Split, target: number): string {
  const rule = split === 'inDist' ? "count as '10'" : "count as '11', '12', and '13' respectively";
  const faces = `'J', 'Q', and 'K' ${rule}`;
  const cards = ranks.map((rank) => `'${cardName(rank)}'`).join(', ');
  return `[Task Description]
You are an expert ${target} points card game player. You will receive a set of 4 cards.
Note that ${faces}, and each card must be used once.
Your goal is to output a formula that evaluates to ${target} using numbers from the cards and operators such as '+', '-', '*', '/', '(', ')', and '='.

[Input]
Cards: [${cards}]

[Output]
{
  "cards": [x, y, z, w], where ${faces},
  "number": [a, b, c, d], where a, b, c, and d are the numbers on the cards,
  "formula": 'an equation that equals ${target}',
}`;
}

function keysOfPrompt(prompt: readonly Message[]): ProblemKeys | null {
  for (const { role, content } of prompt) {
    const listed = role === 'user' ? /Cards: \[([^\]]{0,100})\]/.exec(content)?.[1] : undefined;
    if (listed === undefined) continue;
    const ranks = listed.split(',').map((card) => cardRank(card.replaceAll(/['"\s]/g, '')));
    if (ranks.length === cardsInHand && ranks.every((rank) => rank !== null)) return keysOf(ranks);
  }
  return null;
}
