import { describe, expect, it } from 'vitest';
import type { AnswerSample } from '../../../../../main/contract/samples.ts';
import {
  addressOf,
  pointAnswersLink,
  queryOf,
  runStepId,
} from '../../../../../renderer/features/answers/answerAddress.ts';
import { answerSources } from '../../../../../renderer/features/ablations/answerSources.ts';
import {
  answerParts,
  counterpart,
  mark,
  placeOf,
  sampleText,
  verdictLine,
} from '../../../../../renderer/features/answers/answerWords.ts';
import { sweepPoint, sweepResult } from '../../sweepSample.ts';

const sample = (more: Partial<AnswerSample> = {}): AnswerSample => ({
  kind: 'answer',
  split: 'ood',
  episode: 11,
  keys: { multiset: '1,2', ordered: '2,1' },
  sample: 0,
  turn: 0,
  messages: [
    { role: 'system', content: 'Rules' },
    { role: 'user', content: 'Solve' },
  ],
  given: '',
  answer: '{"n": 4}',
  ended: true,
  verdict: 'INCORRECT_NUMBER',
  reason: 'number_unused',
  reward: -1,
  correct: false,
  ruleSlip: false,
  ...more,
});

describe('address of the answers', () => {
  it('is what it was made from', () => {
    const address = {
      at: runStepId({ stageId: 'seed-0.rl-ppoPlain-peak', step: 10 }),
      beside: runStepId({ stageId: 'seed-0.sft', step: 0 }),
      kind: 'forced',
      split: 'inDist',
      filter: 'slip',
      index: 7,
    } as const;
    expect(addressOf(queryOf(address))).toEqual(address);
  });
  it('takes what it does not know for the default', () => {
    const plain = { at: null, beside: null, kind: 'answer', split: 'ood', filter: 'all', index: 0 };
    expect(
      addressOf({ at: ['seed-0.sft:1', ''], beside: '', kind: 'none', split: 'x', filter: '', index: '-3' }),
    ).toEqual(plain);
    expect(addressOf({ index: '1.5' })).toEqual(plain);
    expect(queryOf(addressOf({}))).toEqual({});
  });
});

describe('answers of a sweep', () => {
  const place = (jobId: string, digit: string) => ({ jobId, at: digit.repeat(64) });
  const own = sweepPoint(9, 2, { axis: 'own', edit: 'none', own: 'target' });
  const edited = sweepPoint(8, 4, {});
  it('are those of the points that kept some, in words, where they lie', () => {
    expect(answerSources(sweepResult([own, edited]))).toEqual([]);
    const points = [
      { ...own, answers: place('earlier', 'a') },
      { ...edited, answers: place('this', 'b') },
    ];
    const [group] = answerSources(sweepResult([...points, sweepPoint(1, 1, {})]));
    expect(group!.label).toBe('SFT stage');
    expect(group!.sources.map(({ id, place: at }) => [id, at])).toEqual([
      [own.key, place('earlier', 'a')],
      [edited.key, place('this', 'b')],
    ]);
    expect(group!.sources.map(({ label }) => label)).toEqual(['SFT_End, unedited', 'Singular vectors, all layers, all ranks']); // prettier-ignore
  });
  it('are linked to by the keys of the points', () => {
    expect(pointAnswersLink('s', edited.key, own.key)).toEqual({
      path: '/ablations/s/answers',
      query: { at: edited.key, beside: own.key },
    });
  });
});

describe('an answer in words', () => {
  it('is right, wrong, or right under the other rule', () => {
    expect(mark(sample({ correct: true, ruleSlip: false })).word).toBe('right');
    expect(mark(sample()).word).toBe('wrong');
    expect(mark(sample({ ruleSlip: true })).word).toContain('rule slip');
  });
  it('has a place in its dialogue', () => {
    expect(placeOf(sample())).toBe('episode 12');
    expect(placeOf(sample({ turn: 2 }))).toBe('episode 12, answer 3');
    expect(placeOf(sample({ kind: 'forced', turn: 1 }))).toBe('episode 12, position 2');
    expect(placeOf(sample({ kind: 'passAtK', sample: 4 }))).toBe('episode 12, sample 5');
  });
  it('shows what was given apart from what was written', () => {
    expect(answerParts(sample({ given: '{"n"' }))).toEqual({ given: '{"n"', written: ': 4}' });
    expect(answerParts(sample({ given: 'other' }))).toEqual({ given: '', written: '{"n": 4}' });
  });
  it('says verdict, reason, reward, and whether it was cut off', () => {
    expect(verdictLine(sample({ ended: false }))).toBe(
      'INCORRECT_NUMBER (number_unused), reward -1, cut off at the most tokens',
    );
    const right = sample({ correct: true, verdict: 'CORRECT_SOLUTION', reason: 'ok', reward: 5 });
    expect(verdictLine(right)).toBe('CORRECT_SOLUTION, reward 5');
    expect(sampleText(sample({ given: '{"n"' }))).toBe(
      '[system]\nRules\n\n[user]\nSolve\n\n[given]\n{"n"\n[answer]\n: 4}\n\n[verdict]\nINCORRECT_NUMBER (number_unused), reward -1',
    );
  });
  it('stands beside the answer at its place, else the last of the same dialogue', () => {
    const others = [sample({ turn: 0 }), sample({ turn: 1 }), sample({ sample: 1, turn: 0 })];
    expect(counterpart(sample({ turn: 0 }), others)).toBe(others[0]);
    expect(counterpart(sample({ turn: 4 }), others)).toBe(others[1]);
    expect(counterpart(sample({ sample: 1, turn: 3 }), others)).toBe(others[2]);
    expect(counterpart(sample({ sample: 9 }), others)).toBeNull();
  });
});
