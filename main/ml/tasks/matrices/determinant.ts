/**
 * Determinant: inDist 2x2 with entries -4..4, ood 3x3 with entries -5..5, uniform and independent. The working is the
 * list of signed products (2 or 6); their sum is the determinant. A share of about 8 % (2x2) and 2 % (3x3) is singular.
 */
import { defaultTestShare } from '../heldOut.ts';
import type { TextTask } from '../textTask.ts';
import { type IntegerMatrix, determinantTerms, sum } from './integerMatrix.ts';
import { type MatrixTaskOptions, matrixTask } from './matrixTask.ts';

const sizes = { inDist: { size: 2, largest: 4 }, ood: { size: 3, largest: 5 } };

export function determinant(options: MatrixTaskOptions = {}): TextTask<IntegerMatrix> {
  return matrixTask(
    {
      name: 'determinant',
      description:
        'You are an expert in linear algebra. You will receive a square matrix of integers.\nYour goal is to find its determinant.',
      inputLabel: 'Square matrix',
      working: {
        field: 'terms',
        label: 'terms',
        text: 'a list of the signed products of entries, one from each row and each column, that add up to the determinant',
      },
      result: { field: 'determinant', text: 'an integer' },
      draw(split, random) {
        const { size, largest } = sizes[split];
        const entry = (): number => random.int(2 * largest + 1) - largest;
        return Array.from({ length: size }, () => Array.from({ length: size }, entry));
      },
      workingOf: determinantTerms,
      resultOf: sum,
    },
    options.testShare ?? defaultTestShare,
    options,
  );
}
