/**
 * All formulas that reach a target with each number once: every binary tree over every order of the numbers, in exact
 * rationals (five shapes, 24 orders, 64 operators: 7,680 for four numbers).
 *
 * The written form: brackets only where leaving them out would change the value as an identity. So a+(b-c) is written
 * a+b-c and a*(b/c) a*b/c, while a-(b+c) and a/(b*c) keep theirs; 3*8 and 8*3 are two formulas. Formulas with needless
 * brackets or blanks are right too, but are not listed.
 */
import { type Operator, type Rational, apply, integer, isInteger } from './rational.ts';

interface Tree {
  value: Rational;
  /** Of a leaf: its number. */
  leaf: number;
  operator: Operator | null;
  left: Tree | null;
  right: Tree | null;
}

const operators: readonly Operator[] = ['+', '-', '*', '/'];

/** Trees over exactly the numbers of a set of positions (bit mask). */
function treesOver(numbers: readonly number[], mask: number, known: Map<number, Tree[]>): Tree[] {
  const found = known.get(mask);
  if (found) return found;
  const trees: Tree[] = [];
  for (const [left, right] of partsOf(mask)) {
    for (const a of treesOver(numbers, left, known))
      for (const b of treesOver(numbers, right, known))
        for (const operator of operators) {
          const value = apply(operator, a.value, b.value);
          if (value !== null) trees.push({ value, leaf: 0, operator, left: a, right: b });
        }
  }
  if (trees.length === 0) {
    const leaf = numbers[Math.log2(mask)]!;
    trees.push({ value: integer(leaf), leaf, operator: null, left: null, right: null });
  }
  known.set(mask, trees);
  return trees;
}

/** Ordered pairs of non-empty disjoint sets that make up the mask. */
function partsOf(mask: number): [number, number][] {
  const parts: [number, number][] = [];
  for (let part = (mask - 1) & mask; part > 0; part = (part - 1) & mask) parts.push([part, mask ^ part]);
  return parts;
}

/** Every formula in the written form, without "= target", sorted; empty when there is none. */
export function solveHand(numbers: readonly number[], target: number): string[] {
  const all = (1 << numbers.length) - 1;
  const trees = treesOver(numbers, all, new Map());
  return [...new Set(trees.filter(({ value }) => isInteger(value, target)).map(write))].sort();
}

/** Whether a formula exists, sooner than by listing them. */
export function isSolvable(numbers: readonly number[], target: number): boolean {
  const all = (1 << numbers.length) - 1;
  const known = new Map<number, Tree[]>();
  for (const [left, right] of partsOf(all)) {
    const others = treesOver(numbers, right, known);
    for (const a of treesOver(numbers, left, known))
      for (const b of others)
        for (const operator of operators) {
          const value = apply(operator, a.value, b.value);
          if (value !== null && isInteger(value, target)) return true;
        }
  }
  return numbers.length === 1 && numbers[0] === target;
}

const isSum = (tree: Tree): boolean => tree.operator === '+' || tree.operator === '-';

function write(tree: Tree): string {
  const { operator, left, right } = tree;
  if (operator === null || left === null || right === null) return String(tree.leaf);
  const product = operator === '*' || operator === '/';
  const bracketLeft = product && isSum(left);
  const bracketRight = isSum(right) ? operator !== '+' : operator === '/' && right.operator !== null;
  return bracketed(left, bracketLeft) + operator + bracketed(right, bracketRight);
}

const bracketed = (tree: Tree, needed: boolean): string => (needed ? `(${write(tree)})` : write(tree));
