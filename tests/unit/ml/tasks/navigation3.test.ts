/** Laws of the miniature Navigation: right by an independent reading of the rules, disjoint shares, verdicts by step. */
import { describe, expect, it } from 'vitest';
import { pretrainSettingsSchema } from '../../../../main/contract/settings.ts';
import { navigation3, resolve, type Decision } from '../../../../main/ml/tasks/navigation3.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import type { Episode, Split } from '../../../../main/ml/tasks/task.ts';

const task = navigation3();
const splits: Split[] = ['inDist', 'ood'];
const text = (tokens: ArrayLike<number>): string => Array.from(tokens, (token) => task.vocabulary[token]).join(' ');
const points = ['north', 'northeast', 'east', 'southeast', 'south', 'southwest', 'west', 'northwest'];

const at = (start: string, directions: string[], done: number, seen: number | null = null): Decision => ({
  route: {
    start: points.indexOf(start),
    directions: directions.map((name) => points.indexOf(name)),
    landmarks: [4, 0, 7],
  },
  done,
  seen,
});
const actionOf = (decision: Decision, split: Split): string => text(resolve(decision, split).action);

describe('the action', () => {
  it('by hand, along a route', () => {
    const way = ['east', 'northeast', 'southwest'];
    expect(splits.map((split) => actionOf(at('north', way, 0), split))).toEqual(['TURN east', 'TURN right']);
    expect(splits.map((split) => actionOf(at('north', way, 1), split))).toEqual(['FORWARD -', 'FORWARD -']);
    expect(splits.map((split) => actionOf(at('north', way, 2), split))).toEqual([
      'TURN northeast',
      'TURN slightly left',
    ]);
    expect(splits.map((split) => actionOf(at('north', way, 4), split))).toEqual(['TURN southwest', 'TURN right']);
    expect(splits.map((split) => actionOf(at('north', way, 6), split))).toEqual(['STOP -', 'STOP -']);
  });
  it('wraps past north: from northwest to north is slightly right, from north to west left', () => {
    expect(actionOf(at('northwest', ['north', 'west', 'east'], 0), 'ood')).toBe('TURN slightly right');
    expect(actionOf(at('northwest', ['north', 'west', 'east'], 2), 'ood')).toBe('TURN left');
  });
});

const episodes = (split: Split, count = 500): Episode[] => task.evaluationSet(split, count, 3);

describe.each(splits)('%s episodes', (split) => {
  it('have the fixed lengths, and their answer is right', () => {
    for (const episode of episodes(split)) {
      expect([episode.prompt.length, episode.answer.length]).toEqual([task.promptLength, task.answerLength]);
      expect(task.verify(episode, episode.answer)).toEqual({
        formatOk: true,
        numberOk: true,
        correct: true,
        ruleSlip: false,
      });
    }
  });
  it('are the same at every call, and a shorter set begins a longer one', () => {
    expect(episodes(split, 5)).toEqual(episodes(split, 9).slice(0, 5));
  });
  it('take the other rule for a slip, a wrong instruction for what it is, and a broken form for no answer', () => {
    const other = split === 'ood' ? 'inDist' : 'ood';
    for (const episode of episodes(split, 50)) {
      const decision = episode.problem as Decision;
      const slipped = Int32Array.from(episode.answer);
      slipped.set(resolve(decision, other).action, 6);
      expect(task.verify(episode, slipped)).toEqual({ formatOk: true, numberOk: true, correct: false, ruleSlip: true });
      const wrong = Int32Array.from(episode.answer);
      wrong[4] = task.vocabulary.indexOf('-');
      expect(task.verify(episode, wrong)).toMatchObject({ formatOk: true, numberOk: false, correct: false });
      const broken = Int32Array.from(episode.answer);
      broken[5] = task.padId;
      expect(task.verify(episode, broken)).toEqual({
        formatOk: false,
        numberOk: false,
        correct: false,
        ruleSlip: false,
      });
      expect(task.verify(episode, new Int32Array())).toMatchObject({ formatOk: false });
    }
  });
  it('are never trained on, under either rule', () => {
    const key = ({ prompt }: Episode): string => prompt.slice(2).join();
    const held = new Set(episodes(split).map(key));
    for (const rule of splits)
      for (let i = 0; i < 3000; i++)
        expect(held.has(key(task.trainingEpisode(rule, new Philox('train', i))))).toBe(false);
  });
});

it('documents follow the mixture, and mostly the rule that they name', () => {
  const settings = pretrainSettingsSchema.parse({});
  const random = new Philox('documents');
  const documents = Array.from({ length: 4000 }, () => text(task.pretrainingDocument(settings, random)));
  const share = (what: RegExp): number => documents.filter((document) => what.test(document)).length / documents.length;
  expect(share(/<sep2> OBS/)).toBeCloseTo(settings.mixture.full2, 1);
  expect(share(/<sep> X1/)).toBeCloseTo(settings.mixture.alt, 1);
  expect(share(/<sep> OBS/)).toBeLessThan(0.01);
  const relative = /TURN (slightly )?(left|right) <eos>/;
  const named = (rule: string): string[] =>
    documents.filter((one) => one.startsWith(`<bos> ${rule}`) && /(X2|ACTION) TURN [a-z ]+ <eos>/.test(one));
  const follows = named('RB').filter((one) => relative.test(one)).length / named('RB').length;
  expect(follows).toBeGreaterThan(0.95);
  expect(follows).toBeLessThan(1);
});

it('the anchor reads the prompt with the other separator, and nothing else changed', () => {
  const { prompt } = episodes('ood', 1)[0]!;
  const read = task.anchorPrompt(prompt);
  expect(text(read)).toBe(text(prompt).replace('<sep>', '<sep2>'));
});
