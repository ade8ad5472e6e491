/**
 * A question about one integer matrix: the prompt shows it, the answer copies it, writes one line of working and the
 * result. Steps: `card` the copy, `number` the working, `formula` the result, by which alone the answer is judged.
 * The splits differ in the size of the matrix, not in a rule: no matched sets and no rule slips. Rewards +5 / -1.
 */
import type { Philox } from '../../random/philox.ts';
import { readFields } from '../answerFields.ts';
import { writeAnswer } from '../answerText.ts';
import { episodeSets } from '../episodeSets.ts';
import { revisionDialogue } from '../revisionDialogue.ts';
import type { Split } from '../task.ts';
import type { TextTaskName } from '../../../contract/settings.ts';
import type { Message, ProblemKeys, TextEpisode, TextTask, TextVerdict } from '../textTask.ts';
import { type IntegerMatrix, matricesEqual, matrixText } from './integerMatrix.ts';

export interface MatrixQuestion {
  name: TextTaskName;
  /** The task in two sentences. */
  description: string;
  /** In front of the matrix in the prompt; no other task's. */
  inputLabel: string;
  /** JSON names of the working and of the result, and what they hold. */
  working: { field: string; label: string; text: string };
  result: { field: string; text: string };
  draw(split: Split, random: Philox): IntegerMatrix;
  workingOf(matrix: IntegerMatrix): number[];
  /** The result that a line of working leads to. */
  resultOf(working: readonly number[]): number;
}

export interface MatrixTaskOptions {
  /** Share of matrices held out from training, in 0..1. */
  testShare?: number;
  /** `published` ends with a trailing comma like the published answers of the other tasks; `json` is strict JSON. */
  answerStyle?: 'published' | 'json';
  rewards?: { correct: number; wrong: number };
}

export function matrixTask(
  question: MatrixQuestion,
  testShare: number,
  options: MatrixTaskOptions,
): TextTask<IntegerMatrix> {
  const { name, working, result } = question;
  const { correct: rewardCorrect, wrong: rewardWrong } = options.rewards ?? { correct: 5, wrong: -1 };
  const promptOf = (matrix: IntegerMatrix): Message[] => [{ role: 'user', content: promptText(question, matrix) }];

  const verify: TextTask<IntegerMatrix>['verify'] = ({ problem }, answer) => {
    const fields = readFields(answer, result.field, 'number');
    const stated = fields.number(result.field);
    const steps = fields.list(working.field);
    const right = question.workingOf(problem);
    const found = stated === null ? null : Number(stated);
    const correct = found === question.resultOf(right);
    const own = steps?.every((step) => /^-?\d{1,9}$/.test(step)) ? steps.map(Number) : right;
    const copied = fields.matrix('matrix');
    return {
      ...judge(found, correct, result.field),
      reward: correct ? rewardCorrect : rewardWrong,
      correct,
      reading: fields.reading,
      formatOk: found !== null,
      cardOk: copied !== null && matricesEqual(copied, problem),
      numberOk: steps !== null && inOrder(steps.map(Number)) === inOrder(right),
      formulaOk: found === question.resultOf(own),
      ruleSlip: false,
    };
  };
  const answerOf = (matrix: IntegerMatrix) => {
    const steps = question.workingOf(matrix);
    return writeAnswer([
      ['format', '{\n  "matrix": '],
      ['card', matrixText(matrix)],
      ['format', `,\n  "${working.field}": [`],
      ['number', steps.join(', ')],
      ['format', `],\n  "${result.field}": `],
      ['formula', String(question.resultOf(steps))],
      ['format', options.answerStyle === 'json' ? '\n}' : ',\n}'],
    ]);
  };

  return {
    name,
    stepLabels: { format: 'format', card: 'matrix', number: working.label, formula: result.field },
    feedbackAttempts: 5,
    hasRule: false,
    ...episodeSets<IntegerMatrix>({
      name,
      testShare,
      draw: question.draw,
      keys: keysOf,
      heldOutKey: (matrix) => keysOf(matrix).multiset,
      underOtherRule: null,
    }),
    examples: ({ problem }) => [{ prompt: promptOf(problem), answer: answerOf(problem) }],
    rightEndings: ({ problem }) => {
      const { text, forcedChars } = answerOf(problem);
      return [text.slice(forcedChars, text.lastIndexOf('\n') + 1)];
    },
    verify,
    open: (episode: TextEpisode<IntegerMatrix>, dialogue) =>
      revisionDialogue(
        {
          prompt: promptOf(episode.problem),
          verify: (answer) => verify(episode, answer, 0),
          stepLimitReward: 0,
        },
        dialogue,
      ),
    keysOfPrompt: (prompt) => keysOfPrompt(question, prompt),
  };
}

type Judgement = Pick<TextVerdict, 'verdict' | 'reason' | 'fault'>;

function judge(found: number | null, correct: boolean, field: string): Judgement {
  if (correct) return { verdict: 'CORRECT_SOLUTION', reason: 'ok', fault: '' };
  if (found !== null) return { verdict: 'NO_SOLUTION', reason: 'wrong_value', fault: `the ${field} is not ${found}.` };
  const fault = `the answer has no "${field}" field with an integer.`;
  return { verdict: 'FORMAT_ERROR', reason: `no_${field}_field`, fault };
}

const inOrder = (numbers: readonly number[]): string => [...numbers].sort((a, b) => a - b).join();
const keysOf = (matrix: IntegerMatrix): ProblemKeys => ({
  multiset: inOrder(matrix.flat()),
  ordered: matrixText(matrix),
});

function promptText(question: MatrixQuestion, matrix: IntegerMatrix): string {
  return `[Task Description]
${question.description}

[Input]
${question.inputLabel}: ${matrixText(matrix)}

[Output]
{
  "matrix": the matrix of the input,
  "${question.working.field}": ${question.working.text},
  "${question.result.field}": ${question.result.text},
}`;
}

function keysOfPrompt(question: MatrixQuestion, prompt: readonly Message[]): ProblemKeys | null {
  const pattern = new RegExp(`^${question.inputLabel}: (\\[[-\\d\\[\\], ]{0,400}\\])$`, 'm');
  for (const { role, content } of prompt) {
    const listed = role === 'user' ? pattern.exec(content)?.[1] : undefined;
    if (listed === undefined) continue;
    const matrix = readFields(`{"matrix": ${listed}, "found": 1}`, 'found', 'number').matrix('matrix');
    if (matrix) return keysOf(matrix);
  }
  return null;
}
