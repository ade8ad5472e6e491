import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pretrainSettingsSchema } from '../../../../main/contract/settings.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { evaluateSolution, generalPoints3, isHeldOut, solutions } from '../../../../main/ml/tasks/generalPoints3.ts';
import type { Triple } from '../../../../main/ml/tasks/generalPoints3.ts';
import type { Split } from '../../../../main/ml/tasks/task.ts';

/** Made by an independent implementation in Python (solver, verifier, hold-out hash). */
const reference = JSON.parse(
  readFileSync(new URL('../../../fixtures/generalPoints3/reference.json', import.meta.url), 'utf8'),
) as {
  hands: { numbers: Triple; targets: Record<string, number> }[];
  answers: { rule: Split; cards: Triple; t: number; row: number[]; check: number[]; test: boolean }[];
};
const task = generalPoints3();
const text = (tokens: ArrayLike<number>): string => Array.from(tokens, (id) => task.vocabulary[id]).join(' ');

describe('solver', () => {
  it('finds every target and every solution of all 455 hands, as the reference does', () => {
    expect(reference.hands).toHaveLength(455);
    for (const { numbers, targets } of reference.hands) {
      const counts = [...solutions(numbers)].map(([target, list]) => [String(target), list.length] as const);
      expect(Object.fromEntries(counts)).toEqual(targets);
    }
  });
  it('offers only solutions that evaluate to their target', () => {
    for (const { numbers } of reference.hands)
      for (const [target, list] of solutions(numbers))
        for (const solution of list) expect(evaluateSolution(solution)).toBe(target);
  });
});

describe('verifier', () => {
  it('grades 400 right, damaged and foreign answers as the reference does', () => {
    for (const { rule, cards, t, row, check } of reference.answers) {
      const episode = { split: rule, prompt: new Int32Array(7), answer: new Int32Array(19), problem: { cards, target: t, split: rule } }; // prettier-ignore
      const verdict = task.verify(episode, row);
      expect([verdict.formatOk, verdict.numberOk, verdict.correct].map(Number), text(row)).toEqual(check);
    }
  });
  it('accepts the answer of every episode it makes, on both splits', () => {
    for (const split of ['inDist', 'ood'] as const)
      for (const episode of task.evaluationSet(split, 200, 7))
        expect(task.verify(episode, episode.answer)).toMatchObject({ formatOk: true, numberOk: true, correct: true });
  });
  it('calls an OOD answer under the ID rule a rule slip', () => {
    const [ood, inDist] = (['ood', 'inDist'] as const).map((split) => ({
      split,
      prompt: new Int32Array(7),
      answer: new Int32Array(19),
      problem: { cards: [13, 2, 3], target: 15, split },
    }));
    const words = 'CARDS K 2 3 NUMBER 10 2 3 FORMULA ( 10 + 2 ) + 3 = 15 <eos>'.split(' ');
    const row = words.map((word) => task.vocabulary.indexOf(word));
    expect(task.verify(ood!, row)).toEqual({ formatOk: true, numberOk: false, correct: false, ruleSlip: true });
    expect(task.verify(inDist!, row)).toEqual({ formatOk: true, numberOk: true, correct: true, ruleSlip: false });
  });
});

describe('episodes', () => {
  it('hold out prompts by the hash of the reference', () => {
    for (const { cards, t, test } of reference.answers) expect(isHeldOut(cards, t, 0.2)).toBe(test);
  });
  it('never share a prompt between training and evaluation, under either rule', () => {
    const key = (prompt: Int32Array): string => prompt.subarray(2, 6).join();
    const evaluated = new Set(
      (['inDist', 'ood'] as const).flatMap((split) => task.evaluationSet(split, 600, 999).map((e) => key(e.prompt))),
    );
    for (let i = 0; i < 3000; i++) {
      const split = i % 2 ? 'ood' : 'inDist';
      expect(evaluated.has(key(task.trainingEpisode(split, new Philox('overlap', i)).prompt))).toBe(false);
    }
  });
  it('are frozen by their seed and have a face card', () => {
    const [first, again, other] = [9, 9, 10].map((seed) =>
      task.evaluationSet('ood', 50, seed).map((e) => text(e.prompt)),
    );
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    for (const prompt of first!) expect(prompt).toMatch(/^<bos> RB \d+ (\S+ ){3}<sep>$/);
    for (const prompt of first!) expect(prompt).toMatch(/ [JQK] /);
  });
  it('follow the pretraining mixture, rule noise and face share', () => {
    const settings = pretrainSettingsSchema.parse({});
    const count = 20_000;
    const seen: Record<string, number> = {};
    let rulesB = 0;
    for (let i = 0; i < count; i++) {
      const document = text(task.pretrainingDocument(settings, new Philox('documents', i))).split(' ');
      const format = document[7] === 'CARDS' ? (document[6] === '<sep2>' ? 'full2' : 'full') : document[7]!;
      seen[format] = (seen[format] ?? 0) + 1;
      if (document[1] === 'RB') rulesB++;
    }
    const wanted = { full: 0.001, full2: 0.1, X1: 0.7, NUMBER: 0.1, FORMULA: 0.099 };
    for (const [format, share] of Object.entries(wanted)) {
      // five standard errors of a binomial share
      const error = 5 * Math.sqrt((share * (1 - share)) / count);
      expect(Math.abs((seen[format] ?? 0) / count - share), format).toBeLessThan(error);
    }
    expect(Math.abs(rulesB / count - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / count));
  });
  it('are read by the anchor under the other template token', () => {
    const { prompt } = task.trainingEpisode('inDist', new Philox(1));
    expect(text(task.anchorPrompt(prompt))).toBe(text(prompt).replace('<sep>', '<sep2>'));
  });
});
