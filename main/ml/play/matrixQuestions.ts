/** A matrix of integers, typed row by row: "1 2; 3 4". Its size is the split: there is no rule to choose. */
import { AppError } from '../../contract/errors.ts';
import type { PlayField } from '../../contract/play.ts';
import { determinant } from '../tasks/matrices/determinant.ts';
import type { IntegerMatrix } from '../tasks/matrices/integerMatrix.ts';
import { rank } from '../tasks/matrices/rank.ts';
import type { TextTask } from '../tasks/textTask.ts';
import { type TextQuestion, typedEpisode } from './textPlay.ts';
import { fieldValue } from './fieldValue.ts';

/** Up to here every step of the elimination is exact. */
const largestEntry = 20;

interface MatrixKind {
  name: 'determinant' | 'rank';
  task: TextTask<IntegerMatrix>;
  sizes: string;
  fits(rows: number, columns: number): boolean;
  rightWords: string;
}

function matrixQuestion({ name, task, sizes, fits, rightWords }: MatrixKind): TextQuestion {
  const field: PlayField = {
    name: 'matrix',
    label: 'Matrix',
    choices: [],
    hint: `${sizes}, entries from -${largestEntry} to ${largestEntry}, rows between semicolons: "1 2; 3 4".`,
  };
  const matrixOf = (inputs: Record<string, string>): IntegerMatrix => {
    const rows = fieldValue(field, inputs)
      .split(/[;\n]/)
      .map((row) => row.split(/[\s,[\]]+/).filter(Boolean).map(Number)); // prettier-ignore
    const columns = rows[0]!.length;
    const isEntry = (entry: number): boolean => Number.isInteger(entry) && Math.abs(entry) <= largestEntry;
    if (rows.every((row) => row.length === columns && row.every(isEntry)) && fits(rows.length, columns)) return rows;
    throw new AppError('INVALID_REQUEST', 'This is not a matrix that can be asked.', { hint: field.hint });
  };
  return {
    ...{ name, fields: [field], rules: null, rightWords },
    example(random) {
      const { problem } = task.trainingEpisode(random.int(2) === 0 ? 'inDist' : 'ood', random);
      return { matrix: problem.map((row) => row.join(' ')).join('; ') };
    },
    ask: (inputs) => ({ task, episode: typedEpisode(task, 'inDist', matrixOf(inputs)), position: 0 }),
  };
}

export const determinantQuestion = matrixQuestion({
  name: 'determinant',
  task: determinant(),
  sizes: '2 × 2 (ID) or 3 × 3 (OOD)',
  fits: (rows, columns) => rows === columns && (rows === 2 || rows === 3),
  rightWords: 'The determinant is right.',
});

export const rankQuestion = matrixQuestion({
  name: 'rank',
  task: rank(),
  sizes: '2 to 5 rows and columns (ID 4 × 5, OOD 5 × 4)',
  fits: (rows, columns) => Math.min(rows, columns) >= 2 && Math.max(rows, columns) <= 5,
  rightWords: 'The rank is right.',
});
