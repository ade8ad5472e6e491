/**
 * Reads formulas of numbers, + - * / and round brackets: no names, no signs in front, no powers. Nothing is evaluated
 * before the numbers are known to be those of the hand, so that hostile digits cost nothing. Without recursion.
 */
import { type Operator, type Rational, apply, integer } from './rational.ts';

/** Longer formulas are refused unread: a right one has about 30 characters. */
export const longestFormula = 1024;

type Token = number | Operator | '(' | ')';

/** Postfix order: numbers and operators. */
export interface Formula {
  postfix: readonly (number | Operator)[];
  /** The numbers as they stand. */
  numbers: readonly number[];
  /** What stands after "=", if anything does. */
  rightSide: number | null;
}

export type FormulaFault = 'too_long' | 'illegal_character' | 'syntax';

/**
 * @param text `×`, `÷`, `−` count as * / -; blanks are skipped, except between two digits
 * @returns the formula, or why it is none
 */
export function parseFormula(text: string): Formula | FormulaFault {
  if (text.length > 2 * longestFormula || [...text].length > longestFormula) return 'too_long';
  const ascii = text.replaceAll('×', '*').replaceAll('÷', '/').replaceAll('−', '-');
  if (/[0-9][ \t\n\r\f\v]+[0-9]/.test(ascii)) return 'syntax';
  const [left, right, ...more] = ascii.replaceAll(' ', '').split('=');
  if (!left || more.length > 0 || (right !== undefined && !/^[0-9]+$/.test(right))) return 'syntax';
  const tokens = tokensOf(left);
  if (tokens === null) return 'illegal_character';
  const postfix = tokens === 'syntax' ? null : postfixOf(tokens);
  if (postfix === null) return 'syntax';
  const numbers = postfix.filter((item) => typeof item === 'number');
  return { postfix, numbers, rightSide: right === undefined ? null : Number(right) };
}

function tokensOf(text: string): Token[] | 'syntax' | null {
  const tokens: Token[] = [];
  let leadingZero = false;
  for (let at = 0; at < text.length;) {
    const digits = /^[0-9]+/.exec(text.slice(at, at + longestFormula))?.[0];
    if (digits !== undefined) {
      leadingZero ||= digits.length > 1 && digits.startsWith('0');
      tokens.push(Number(digits));
      at += digits.length;
      continue;
    }
    const sign = text[at]!;
    if (!'+-*/()'.includes(sign)) return null;
    tokens.push(sign as Token);
    at++;
  }
  return leadingZero ? 'syntax' : tokens;
}

const precedence: Record<Operator, number> = { '+': 1, '-': 1, '*': 2, '/': 2 };

/** Shunting yard; operators of equal rank bind to the left. @returns null when the brackets or the order are wrong */
function postfixOf(tokens: readonly Token[]): (number | Operator)[] | null {
  const out: (number | Operator)[] = [];
  const waiting: (Operator | '(')[] = [];
  let wantsNumber = true;
  /** Moves operators out down to an open bracket; false when there is none. */
  const unwind = (rank: number): boolean => {
    for (let top = waiting.at(-1); top !== undefined; top = waiting.at(-1)) {
      if (top === '(') return true;
      if (precedence[top] < rank) return false;
      out.push(top);
      waiting.pop();
    }
    return false;
  };
  for (const token of tokens) {
    if ((typeof token === 'number' || token === '(') !== wantsNumber) return null;
    if (typeof token === 'number') {
      out.push(token);
      wantsNumber = false;
    } else if (token === '(') waiting.push(token);
    else if (token === ')') {
      if (!unwind(0)) return null;
      waiting.pop();
    } else {
      unwind(precedence[token]);
      waiting.push(token);
      wantsNumber = true;
    }
  }
  if (wantsNumber || unwind(0)) return null;
  return out;
}

/** The exact value; null at a division by zero. @param formula with the few small numbers of a hand */
export function evaluateFormula(formula: Formula): Rational | null {
  const values: Rational[] = [];
  for (const item of formula.postfix) {
    if (typeof item === 'number') {
      values.push(integer(item));
      continue;
    }
    const right = values.pop()!;
    const value = apply(item, values.pop()!, right);
    if (value === null) return null;
    values.push(value);
  }
  return values[0]!;
}
