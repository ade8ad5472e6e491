/**
 * Judges an answer of GeneralPoints. The verdict rests on the formula; the cards and the numbers that the answer lists are
 * diagnostics (as in the published text-only mode). The first fault counts, in this order: no formula string, illegal
 * formula, wrong numbers (not on the cards, used too often, unused), no solution (division by zero, a right-hand side
 * other than the target, a wrong value).
 *
 * Different from the published check on purpose: × ÷ − and blanks are accepted, arithmetic is exact (8/(3-8/3) scores),
 * "= 25" after a formula that gives 24 is wrong, and penalties do not add up. A prefix of a solution is no formula (the
 * published environment gave it +1).
 */
import { readFields } from '../answerFields.ts';
import type { Split } from '../task.ts';
import { type TextVerdict, otherSplit } from '../textTask.ts';
import { cardRank, cardValue } from './cards.ts';
import { type Formula, evaluateFormula, parseFormula } from './formula.ts';
import { isInteger } from './rational.ts';

export interface GeneralPointsRewards {
  CORRECT_SOLUTION: number;
  NO_SOLUTION: number;
  INCORRECT_NUMBER: number;
  ILLEGAL_FORMULA: number;
  FORMAT_ERROR: number;
}

export const publishedRewards: GeneralPointsRewards = {
  CORRECT_SOLUTION: 5,
  NO_SOLUTION: -1,
  INCORRECT_NUMBER: -2,
  ILLEGAL_FORMULA: -3,
  FORMAT_ERROR: -3,
};

interface Judgement {
  verdict: keyof GeneralPointsRewards;
  reason: string;
  fault: string;
}

const right: Judgement = { verdict: 'CORRECT_SOLUTION', reason: 'ok', fault: '' };

const formulaFaults = {
  too_long: 'the formula is too long.',
  illegal_character: 'the formula has characters other than digits, + - * / ( ) and =.',
  syntax: 'the formula is not a complete equation of numbers, operators and matching brackets.',
};

/** @param ranks [4] of the hand, 1..13 */
export function verifyAnswer(
  answer: string,
  ranks: readonly number[],
  split: Split,
  target: number,
  rewards: GeneralPointsRewards,
): TextVerdict {
  const fields = readFields(answer, 'formula', 'text');
  const text = fields.text('formula');
  const formula = text === null ? null : parseFormula(text);
  const numbers = ranks.map((rank) => cardValue(rank, split));
  const { verdict, reason, fault } = judge(formula, numbers, target);
  const listed = fields.list('number');
  const correct = verdict === 'CORRECT_SOLUTION';
  const legal = formula !== null && typeof formula === 'object';
  const solves = (hand: readonly number[]): boolean => legal && judgeFormula(formula, hand, target) === right;
  const otherNumbers = ranks.map((rank) => cardValue(rank, otherSplit(split)));
  return {
    verdict,
    reason,
    fault,
    reward: rewards[verdict],
    correct,
    reading: fields.reading,
    formatOk: text !== null,
    cardOk: isHand(fields.list('cards'), ranks),
    numberOk: listed !== null && listed.length === numbers.length && numbers.every((n, i) => listed[i] === String(n)),
    formulaOk: solves(statedNumbers(listed, numbers.length) ?? numbers),
    ruleSlip: !correct && solves(otherNumbers),
  };
}

function isHand(listed: readonly string[] | null, ranks: readonly number[]): boolean {
  return listed !== null && listed.length === ranks.length && ranks.every((rank, i) => cardRank(listed[i]!) === rank);
}

/** The answer's own numbers, when they are some: then its formula is judged by them. Up to 999, which stays exact. */
function statedNumbers(listed: readonly string[] | null, count: number): number[] | null {
  if (listed === null || listed.length !== count) return null;
  return listed.every((number) => /^\d{1,3}$/.test(number)) ? listed.map(Number) : null;
}

function judge(formula: ReturnType<typeof parseFormula> | null, numbers: readonly number[], target: number): Judgement {
  if (formula === null)
    return {
      verdict: 'FORMAT_ERROR',
      reason: 'no_formula_field',
      fault: 'the answer has no "formula" field with a string in double quotes.',
    };
  if (typeof formula === 'string')
    return { verdict: 'ILLEGAL_FORMULA', reason: formula, fault: formulaFaults[formula] };
  return judgeFormula(formula, numbers, target);
}

function judgeFormula(formula: Formula, numbers: readonly number[], target: number): Judgement {
  const wrong = numberFault(formula.numbers, numbers);
  if (wrong) return { verdict: 'INCORRECT_NUMBER', ...wrong };
  const value = evaluateFormula(formula);
  const none = (reason: string, fault: string): Judgement => ({ verdict: 'NO_SOLUTION', reason, fault });
  if (value === null) return none('division_by_zero', 'the formula divides by zero.');
  if (formula.rightSide !== null && formula.rightSide !== target)
    return none(`right_hand_side_is_not_${target}`, `the right-hand side of the equation is not ${target}.`);
  return isInteger(value, target) ? right : none('wrong_value', `the formula does not evaluate to ${target}.`);
}

function numberFault(
  used: readonly number[],
  numbers: readonly number[],
): { reason: string; fault: string } | undefined {
  const [have, spent] = [countOf(numbers), countOf(used)];
  const list = (found: number[]): string => `${found.slice(0, 8).join(', ')}.`;
  const foreign = [...spent.keys()].filter((n) => !have.has(n));
  if (foreign.length > 0)
    return { reason: 'number_not_on_cards', fault: `the formula uses numbers that are not on the cards: ${list(foreign)}` }; // prettier-ignore
  const often = [...spent.keys()].filter((n) => spent.get(n)! > have.get(n)!);
  if (often.length > 0)
    return { reason: 'number_used_too_often', fault: `the formula uses numbers too often: ${list(often)}` };
  const unused = [...have.keys()].filter((n) => (spent.get(n) ?? 0) < have.get(n)!);
  if (unused.length > 0)
    return { reason: 'number_unused', fault: `the formula leaves out numbers of the cards: ${list(unused)}` };
  return undefined;
}

function countOf(numbers: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const n of numbers) counts.set(n, (counts.get(n) ?? 0) + 1);
  return counts;
}
