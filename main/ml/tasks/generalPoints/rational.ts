/** Exact rationals of small numbers: a few cards never leave the safe integers. */
export interface Rational {
  readonly numerator: number;
  /** Not 0; may be negative. */
  readonly denominator: number;
}

export type Operator = '+' | '-' | '*' | '/';

export const integer = (value: number): Rational => ({ numerator: value, denominator: 1 });

/** Unreduced, which four cards allow. @returns null at a division by zero */
export function apply(operator: Operator, a: Rational, b: Rational): Rational | null {
  switch (operator) {
    case '+':
      return {
        numerator: a.numerator * b.denominator + b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case '-':
      return {
        numerator: a.numerator * b.denominator - b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case '*':
      return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
    case '/':
      return b.numerator === 0
        ? null
        : { numerator: a.numerator * b.denominator, denominator: a.denominator * b.numerator };
  }
}

export const isInteger = (value: Rational, wanted: number): boolean => value.numerator === wanted * value.denominator;
