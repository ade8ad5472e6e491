import { describe, expect, test } from 'vitest';
import { generalPointsQuestion } from '../../../../main/ml/play/generalPointsQuestion.ts';
import { determinantQuestion, rankQuestion } from '../../../../main/ml/play/matrixQuestions.ts';
import { navigationQuestion } from '../../../../main/ml/play/navigationQuestion.ts';
import type { AskedProblem } from '../../../../main/ml/play/textPlay.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { cardName } from '../../../../main/ml/tasks/generalPoints/cards.ts';
import type { Hand } from '../../../../main/ml/tasks/generalPoints/generalPoints.ts';
import type { IntegerMatrix } from '../../../../main/ml/tasks/matrices/integerMatrix.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';
import type { TextExample } from '../../../../main/ml/tasks/textTask.ts';

const splits = ['inDist', 'ood'] as const;
const exampleOf = ({ task, episode, position }: AskedProblem): TextExample => task.examples(episode)[position]!;
const isRight = (asked: AskedProblem): boolean =>
  asked.task.verify(asked.episode, exampleOf(asked).answer.text, asked.position).correct;
const rows = (problem: unknown): string => (problem as IntegerMatrix).map((row) => row.join(' ')).join('; ');

describe.each([generalPointsQuestion, navigationQuestion, determinantQuestion, rankQuestion])('$name', (question) => {
  test('a random question can be asked under both rules, and its reference answer is right', () => {
    for (let seed = 0; seed < 12; seed += 1)
      for (const split of splits) {
        const asked = question.ask(question.example(new Philox(seed, 'example')), split);
        expect(asked.task.rightEndings(asked.episode, asked.position).length).toBeGreaterThan(0);
        expect(isRight(asked)).toBe(true);
      }
  });
});

test.each(['generalPoints', 'determinant', 'rank'] as const)(
  '%s: what is typed gives the prompt of an evaluation',
  (name) => {
    const [task, question] = [openTextTask({ name }), { generalPoints: generalPointsQuestion, determinant: determinantQuestion, rank: rankQuestion }[name]]; // prettier-ignore
    for (const split of splits)
      for (const episode of task.heldOutEpisodes(split, 20, 3)) {
        const cards = (): string => (episode.problem as Hand).ranks.map(cardName).join(', ');
        const inputs: Record<string, string> =
          name === 'generalPoints' ? { cards: cards(), target: '24' } : { matrix: rows(episode.problem) };
        const asked = question.ask(inputs, split);
        expect(exampleOf(asked).prompt).toEqual(task.examples(episode)[0]!.prompt);
        expect(isRight(asked)).toBe(true);
      }
  },
);

test('a route is the same under both rules, held out, and goes on from point to point', () => {
  const at = (point: number, split: 'inDist' | 'ood'): string =>
    exampleOf(navigationQuestion.ask({ route: '11', point: String(point) }, split)).prompt[0]!.content;
  const instructions = (prompt: string): string =>
    prompt.slice(prompt.indexOf('[Instruction]'), prompt.indexOf('[Action'));
  expect(instructions(at(2, 'inDist'))).toBe(instructions(at(2, 'ood')));
  expect(at(2, 'inDist')).not.toBe(at(2, 'ood'));
  expect(at(3, 'ood')).toContain('O_3:');
  expect(() => at(99, 'ood')).toThrow('Point on the route: 99 is not possible.');
});

test.each([
  [generalPointsQuestion, { cards: 'A 8 J', target: '24' }, 'These are not four cards.'],
  [generalPointsQuestion, { cards: 'A 8 J 14', target: '24' }, 'These are not four cards.'],
  [generalPointsQuestion, { cards: 'A 8 J K', target: '0.5' }, 'The target is not possible.'],
  [determinantQuestion, { matrix: '1 2; 3' }, 'This is not a matrix that can be asked.'],
  [determinantQuestion, { matrix: '1 2 3; 4 5 6' }, 'This is not a matrix that can be asked.'],
  [determinantQuestion, { matrix: '1 2; 3 99' }, 'This is not a matrix that can be asked.'],
  [rankQuestion, { matrix: '1 x; 3 4' }, 'This is not a matrix that can be asked.'],
  [rankQuestion, { matrix: '' }, 'Matrix: "" is not possible.'],
])('%o refuses %o', (question, inputs, message) => {
  expect(() => question.ask(inputs, 'inDist')).toThrow(message);
});

test('a hand that cannot reach its target has no right answer, and is asked all the same', () => {
  const asked = generalPointsQuestion.ask({ cards: 'A A A A', target: '24' }, 'inDist');
  expect(asked.task.rightEndings(asked.episode, 0)).toEqual([]);
  expect(exampleOf(asked).prompt[0]!.content).toContain("Cards: ['A', 'A', 'A', 'A']");
});
