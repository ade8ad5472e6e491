/**
 * GeneralPoints in miniature: three cards and a target, `( a o b ) o c = t` with o in {+, -, *}.
 *
 * inDist counts J, Q, K as 10; ood counts them as 11, 12, 13. Everything else is the same. Arithmetic is on integers
 * and so exact. Source of the form: the published game ("4 cards to 24"), reduced so that it trains on two cores.
 * Prompt  [7]:  <bos> RULE t c1 c2 c3 <sep>
 * Answer [19]:  CARDS c1 c2 c3 NUMBER n1 n2 n3 FORMULA ( a o b ) o c = t <eos>
 */
import type { PretrainSettings } from '../../contract/settings.ts';
import { Philox } from '../random/philox.ts';
import type { AnswerStep, Episode, Split, Task, Verdict } from './task.ts';
import { drawDocument, tokenTable } from './tokenTable.ts';

export const largestTarget = 40;
const markers = '<pad> <bos> <eos> <sep> RA RB CARDS NUMBER FORMULA X1 X2 <sep2> ( ) + - * = J Q K'.split(' ');
const vocabulary = [...markers, ...Array.from({ length: largestTarget + 1 }, (_, value) => String(value))];
const tokenId = tokenTable(vocabulary);

const zero = tokenId('0');
const operators = ['+', '-', '*'].map(tokenId);
const ruleToken: Record<Split, number> = { inDist: tokenId('RA'), ood: tokenId('RB') };
const [padId, bosId, eosId, sep, sep2] = ['<pad>', '<bos>', '<eos>', '<sep>', '<sep2>'].map(tokenId) as [
  number,
  number,
  number,
  number,
  number,
];
const [cardsToken, numberToken, formulaToken, x1, x2, open, close, equals] = [
  'CARDS',
  'NUMBER',
  'FORMULA',
  'X1',
  'X2',
  '(',
  ')',
  '=', // prettier-ignore
].map(tokenId) as [number, number, number, number, number, number, number, number];

export const promptLength = 7;
export const answerLength = 19;

const steps: AnswerStep[] = Array.from({ length: answerLength }, (_, position) => {
  if (position >= 1 && position <= 3) return 'card';
  if (position >= 5 && position <= 7) return 'number';
  if ([10, 11, 12, 14, 15, 17].includes(position)) return 'formula';
  return 'format';
});

export type Triple = [number, number, number];
/** ( a o1 b ) o2 c; operators as indices into + - *. */
export interface Solution {
  a: number;
  firstOperator: number;
  b: number;
  secondOperator: number;
  c: number;
}
interface Problem {
  cards: Triple;
  target: number;
  split: Split;
}

function apply(operator: number, left: number, right: number): number {
  if (operator === 0) return left + right;
  return operator === 1 ? left - right : left * right;
}

/** The value of `( a o1 b ) o2 c`, exact. */
export function evaluateSolution({ a, firstOperator, b, secondOperator, c }: Solution): number {
  return apply(secondOperator, apply(firstOperator, a, b), c);
}

function orderings(numbers: Triple): Triple[] {
  const seen = new Map<string, Triple>();
  for (const [i, j, k] of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as Triple[]) {
    // prettier-ignore
    const ordering: Triple = [numbers[i]!, numbers[j]!, numbers[k]!];
    seen.set(ordering.join(), ordering);
  }
  return [...seen.values()].sort((p, q) => p[0] - q[0] || p[1] - q[1] || p[2] - q[2]);
}

const solved = new Map<string, Map<number, Solution[]>>();

/** Every target in 1..40 that three numbers reach, with every solution. */
export function solutions(numbers: Triple): Map<number, Solution[]> {
  const key = [...numbers].sort((p, q) => p - q).join();
  const known = solved.get(key);
  if (known) return known;
  const reachable = new Map<number, Solution[]>();
  for (const [a, b, c] of orderings(numbers))
    for (let firstOperator = 0; firstOperator < 3; firstOperator++)
      for (let secondOperator = 0; secondOperator < 3; secondOperator++) {
        const solution = { a, firstOperator, b, secondOperator, c };
        const value = evaluateSolution(solution);
        if (value < 1 || value > largestTarget) continue;
        const list = reachable.get(value);
        if (list) list.push(solution);
        else reachable.set(value, [solution]);
      }
  solved.set(key, reachable);
  return reachable;
}

/** What a card of rank 1..13 counts under a rule. */
export function cardValue(rank: number, split: Split): number {
  return rank <= 10 ? rank : split === 'inDist' ? 10 : rank;
}

/** Held out from all training under either rule: a hash of the ordered cards and the target. */
export function isHeldOut([a, b, c]: Triple, target: number, share: number): boolean {
  const hash = Math.imul(((a * 13 + b) * 13 + c) * 41 + target, 0x9e3779b1) >>> 0;
  return (hash >>> 8) % 1000 < share * 1000;
}

const cardToken = (rank: number): number => (rank <= 10 ? zero + rank : tokenId(['J', 'Q', 'K'][rank - 11]!));
const isNumber = (token: number): boolean => token >= zero;

interface Draw {
  cards: Triple;
  numbers: Triple;
  target: number;
  solutions: Solution[];
}

function drawProblem(split: Split, random: Philox, options: { face: boolean; heldOut: boolean; share: number }): Draw {
  for (;;) {
    const cards: Triple = [1 + random.int(13), 1 + random.int(13), 1 + random.int(13)];
    if (options.face && Math.max(...cards) < 11) continue;
    const numbers = cards.map((rank) => cardValue(rank, split)) as Triple;
    const reachable = solutions(numbers);
    const target = random.choice([...reachable.keys()]);
    if (isHeldOut(cards, target, options.share) !== options.heldOut) continue;
    return { cards, numbers, target, solutions: reachable.get(target)! };
  }
}

function promptTokens(split: Split, draw: Draw, separator: number): number[] {
  return [bosId, ruleToken[split], zero + draw.target, ...draw.cards.map(cardToken), separator];
}

function formulaTokens({ a, firstOperator, b, secondOperator, c }: Solution, target: number): number[] {
  const [first, second] = [operators[firstOperator]!, operators[secondOperator]!];
  return [open, zero + a, first, zero + b, close, second, zero + c, equals, zero + target, eosId];
}

function answerTokens(draw: Draw, solution: Solution): number[] {
  const numbers = draw.numbers.map((value) => zero + value);
  const formula = formulaTokens(solution, draw.target);
  return [cardsToken, ...draw.cards.map(cardToken), numberToken, ...numbers, formulaToken, ...formula];
}

function documentAnswer(format: keyof PretrainSettings['mixture'], draw: Draw, solution: Solution): number[] {
  const numbers = draw.numbers.map((value) => zero + value);
  const formula = formulaTokens(solution, draw.target);
  switch (format) {
    case 'full':
    case 'full2':
      return answerTokens(draw, solution);
    case 'alt':
      return [x1, ...numbers, x2, ...formula];
    case 'nums':
      return [numberToken, ...numbers, eosId];
    case 'direct':
      return [formulaToken, ...formula];
  }
}

interface Parsed {
  cards: number[];
  numbers: number[];
  solution: Solution;
  statedTarget: number;
}

/** The parts of an answer, or null when the skeleton is not exactly right. */
function parseAnswer(row: readonly number[]): Parsed | null {
  const fixed = [[0, cardsToken], [4, numberToken], [8, formulaToken], [9, open], [13, close], [16, equals], [18, eosId]]; // prettier-ignore
  if (row.length !== answerLength || fixed.some(([position, token]) => row[position!] !== token)) return null;
  const firstOperator = operators.indexOf(row[11]!);
  const secondOperator = operators.indexOf(row[14]!);
  if (firstOperator < 0 || secondOperator < 0) return null;
  if (![5, 6, 7, 10, 12, 15, 17].every((position) => isNumber(row[position]!))) return null;
  const value = (position: number): number => row[position]! - zero;
  return {
    cards: row.slice(1, 4),
    numbers: [value(5), value(6), value(7)],
    solution: { a: value(10), firstOperator, b: value(12), secondOperator, c: value(15) },
    statedTarget: value(17),
  };
}

const sorted = (values: number[]): string => [...values].sort((p, q) => p - q).join();

function isCorrect(parsed: Parsed, { cards, target }: Problem, split: Split): boolean {
  const numbers = cards.map((rank) => cardValue(rank, split));
  const { solution } = parsed;
  return (
    parsed.cards.join() === cards.map(cardToken).join() &&
    parsed.numbers.join() === numbers.join() &&
    sorted([solution.a, solution.b, solution.c]) === sorted(numbers) &&
    evaluateSolution(solution) === target &&
    parsed.statedTarget === target
  );
}

/** A hand that someone has chosen. `answer`: one right answer, or padding where no formula of this form reaches the target. */
export function handEpisode(cards: Triple, target: number, split: Split): Episode & { solvable: boolean } {
  const numbers = cards.map((rank) => cardValue(rank, split)) as Triple;
  const found = solutions(numbers).get(target) ?? [];
  const draw: Draw = { cards, numbers, target, solutions: found };
  const problem: Problem = { cards, target, split };
  const answer = new Int32Array(answerLength).fill(padId);
  if (found[0]) answer.set(answerTokens(draw, found[0]));
  return {
    split,
    prompt: Int32Array.from(promptTokens(split, draw, sep)),
    answer,
    problem,
    solvable: found.length > 0,
  };
}

/** @param testShare share of prompts held out from pretraining, SFT and RL, in 0..1 */
export function generalPoints3(testShare = 0.2): Task {
  const episode = (split: Split, random: Philox, heldOut: boolean): Episode => {
    const draw = drawProblem(split, random, { face: true, heldOut, share: testShare });
    const problem: Problem = { cards: draw.cards, target: draw.target, split };
    const answer = Int32Array.from(answerTokens(draw, random.choice(draw.solutions)));
    return { split, prompt: Int32Array.from(promptTokens(split, draw, sep)), answer, problem };
  };
  return {
    name: 'generalPoints3',
    vocabulary,
    padId,
    bosId,
    eosId,
    promptLength,
    answerLength,
    forcedLength: 9,
    steps,
    trainingEpisode: (split, random) => episode(split, random, false),
    evaluationSet: (split, count, seed) =>
      Array.from({ length: count }, (_, i) => episode(split, new Philox(seed, 'evaluation', split, i), true)),
    pretrainingDocument(settings, random) {
      const { named, used, format, showsRule } = drawDocument(settings, random);
      const draw = drawProblem(used, random, { face: showsRule, heldOut: false, share: testShare });
      const answer = documentAnswer(format, draw, random.choice(draw.solutions));
      const document = new Int32Array(promptLength + answerLength).fill(padId);
      document.set([...promptTokens(named, draw, format === 'full2' ? sep2 : sep), ...answer]);
      return document;
    },
    verify({ problem: opaque, split }, answer): Verdict {
      const problem = opaque as Problem;
      const tokens = Array.from(answer);
      const end = tokens.indexOf(eosId);
      const parsed = parseAnswer(end < 0 ? tokens : tokens.slice(0, end + 1));
      if (!parsed) return { formatOk: false, numberOk: false, correct: false, ruleSlip: false };
      const numbers = problem.cards.map((rank) => cardValue(rank, split));
      const correct = isCorrect(parsed, problem, split);
      return {
        formatOk: true,
        numberOk: parsed.numbers.join() === numbers.join(),
        correct,
        ruleSlip: !correct && isCorrect(parsed, problem, split === 'ood' ? 'inDist' : 'ood'),
      };
    },
    anchorPrompt(prompt) {
      const copy = Int32Array.from(prompt);
      copy[promptLength - 1] = sep2;
      return copy;
    },
  };
}
