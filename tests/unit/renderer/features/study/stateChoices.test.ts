import { expect, it } from 'vitest';
import type { HiddenStates } from '../../../../../main/contract/hiddenStates.ts';
import { stateChoices, statesOf } from '../../../../../renderer/features/study/stateChoices.ts';
import { checkpointSample } from '../../checkpointSample.ts';

const at = (id: string, step: number | null, more: object = {}) =>
  checkpointSample(id, { name: `name of ${id}`, step, trajectory: 'SFT', ...more });

it('named checkpoints first, then the others by run and step; what is gone or named twice once', () => {
  const list = [
    at('s300', 300),
    at('s20', 20),
    at('s200', 200),
    at('s100', 100),
    at('base', null, { trajectory: null }),
    at('rl', 40, { trajectory: 'RL' }),
    at('gone', 50, { missing: true }),
  ];
  const named = { base: 'base', peak: 's20', end: 's200', last: 's200', rlEnd: null };
  expect(stateChoices(named, list).map(({ label, role }) => [label, role])).toEqual([
    ['base', 'base'],
    ['SFT peak', 'peak'],
    ['SFT_End', 'end'],
    ['name of rl', null],
    ['step 100', null],
    ['step 300', null],
  ]);
  expect(stateChoices({ base: 'gone' }, list).every(({ role }) => role === null)).toBe(true);
});

it('finds what was computed of these checkpoints alone', () => {
  const states = (id: string, ...ids: string[]): HiddenStates =>
    ({ id, checkpoints: ids.map((one) => ({ id: one })) }) as HiddenStates;
  const choices = ['a', 'b', 'c'].map((id) => ({ id, label: id, role: null }));
  const all = [states('new', 'a', 'x'), states('two', 'a', 'c'), states('old', 'a', 'b')];
  expect(statesOf(all, choices).map(({ id }) => id)).toEqual(['two', 'old']);
});
