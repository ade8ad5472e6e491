import { describe, expect, test } from 'vitest';
import { generalPoints3Question } from '../../../../main/ml/play/generalPoints3Question.ts';
import { navigation3Question } from '../../../../main/ml/play/navigation3Question.ts';
import type { TokenQuestion } from '../../../../main/ml/play/tokenPlay.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { generalPoints3 } from '../../../../main/ml/tasks/generalPoints3.ts';
import { compassPoints } from '../../../../main/ml/tasks/navigation/headings.ts';
import { landmarks, navigation3, type Decision } from '../../../../main/ml/tasks/navigation3.ts';
import type { Split, Task } from '../../../../main/ml/tasks/task.ts';

const splits: Split[] = ['inDist', 'ood'];
const rank = (one: number): string => ['J', 'Q', 'K'][one - 11] ?? String(one);
const hand = (problem: unknown): Record<string, string> => {
  const { cards, target } = problem as { cards: number[]; target: number };
  return { cards: cards.map(rank).join(' '), target: String(target) };
};
function way(problem: unknown): Record<string, string> {
  const { route, done } = problem as Decision;
  const legs = route.directions.flatMap((to, leg) => [
    [`direction${leg + 1}`, compassPoints[to]!],
    [`landmark${leg + 1}`, landmarks[route.landmarks[leg]!]!],
  ]);
  return {
    start: compassPoints[route.start]!,
    done: String(done),
    ...(Object.fromEntries(legs) as Record<string, string>),
  };
}
const tasks: [Task, TokenQuestion, (problem: unknown) => Record<string, string>][] = [
  [generalPoints3(), generalPoints3Question, hand],
  [navigation3(), navigation3Question, way],
];

describe.each(tasks)('a typed question of %o', (task, question, typed) => {
  test('is the same prompt as that of the evaluation episode, and its answer is right', () => {
    for (const split of splits)
      for (const episode of task.evaluationSet(split, 40, 3)) {
        const asked = question.episode(typed(episode.problem), split);
        expect([...asked.prompt]).toEqual([...episode.prompt]);
        expect(asked.solvable).toBe(true);
        expect(task.verify(asked, asked.answer).correct).toBe(true);
      }
  });

  test('a random one can be asked under both rules', () => {
    for (let seed = 0; seed < 40; seed++)
      for (const split of splits) {
        const asked = question.episode(question.example(new Philox(seed, 'example')), split);
        expect(asked.solvable).toBe(true);
        expect(task.verify(asked, asked.answer).correct).toBe(true);
      }
  });
});

describe('the reason of a hand', () => {
  const task = generalPoints3();
  const reason = (inputs: Record<string, string>, split: Split, answer: string): string => {
    const episode = generalPoints3Question.episode(inputs, split);
    const words = answer.split(' ');
    const ids = words.map((word) => task.vocabulary.indexOf(word));
    expect(ids).not.toContain(-1);
    return generalPoints3Question.reason(episode, words, task.verify(episode, ids));
  };
  const inputs = { cards: 'J 5, 2', target: '17' };

  test.each([
    [
      'inDist',
      'CARDS J 5 2 NUMBER 10 5 2 FORMULA ( 10 + 5 ) + 2 = 17 <eos>',
      /^\( 10 \+ 5 \) \+ 2 = 17, with each number used once/,
    ],
    [
      'ood',
      'CARDS J 5 2 NUMBER 10 5 2 FORMULA ( 10 + 5 ) + 2 = 17 <eos>',
      /would be right under the rule of the other split/,
    ],
    ['ood', 'CARDS J 5 2 NUMBER 10 5 2 FORMULA ( 10 + 5 ) - 2 = 17 <eos>', /^NUMBER 10 5 2 should be 11 5 2/],
    ['inDist', 'X1 10 5 2 X2 ( 10 + 5 ) + 2 = 17 <eos>', /^Not of the form/],
    ['inDist', 'CARDS J 5 2 NUMBER 10 5 2 FORMULA ( 10 - 5 ) + 2 = 17 <eos>', /^\( 10 - 5 \) \+ 2 is 7, not 17\.$/],
    ['inDist', 'CARDS J 5 2 NUMBER 10 5 2 FORMULA ( 10 + 5 ) + 5 = 17 <eos>', /does not use the numbers 10, 5, 2 once/],
    ['inDist', 'CARDS J 5 2 NUMBER 10 5 2 FORMULA ( 10 + 5 ) + 2 = 18 <eos>', /says = 18 instead of = 17/],
    ['inDist', 'CARDS K 5 2 NUMBER 10 5 2 FORMULA ( 10 + 5 ) + 2 = 17 <eos>', /^CARDS K 5 2 should be J 5 2/],
  ] as const)('%s: %s', (split, answer, expected) => {
    expect(reason(inputs, split, answer)).toMatch(expected);
  });

  test('a hand that cannot reach its target has no right answer', () => {
    expect(generalPoints3Question.episode({ cards: 'A A A', target: '39' }, 'inDist').solvable).toBe(false);
  });

  test.each([
    [{ cards: 'J 5', target: '3' }, /not three cards/],
    [{ cards: 'J 5 14', target: '3' }, /not three cards/],
    [{ cards: 'J 5 2', target: '41' }, /target is not possible/],
    [{ cards: 'J 5 2', target: '2.5' }, /target is not possible/],
    [{ target: '2' }, /Cards: "" is not possible/],
  ])('%o is refused', (wrong, message) => {
    expect(() => generalPoints3Question.episode(wrong, 'ood')).toThrow(message);
  });
});

test('a route that goes straight on, or ends twice at a landmark, is refused', () => {
  const inputs = navigation3Question.example(new Philox(1, 'example'));
  const straight = { ...inputs, direction1: inputs['start']! };
  expect(() => navigation3Question.episode(straight, 'ood')).toThrow(/Leg 1 goes on/);
  const twice = { ...inputs, landmark2: inputs['landmark1']! };
  expect(() => navigation3Question.episode(twice, 'ood')).toThrow(/same landmark/);
});
