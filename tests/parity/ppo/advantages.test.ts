/** GAE and whitening in float64 against explicit loops. */
import { describe, expect, test } from 'vitest';
import { gae } from '../../../main/ml/training/gae.ts';
import { type WhitenConvention, whiten } from '../../../main/ml/training/whiten.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, tensor } from '../fixtures.ts';
import { type PpoCases, readPpoArrays, readPpoCases } from './ppoCases.ts';

const conventions: Record<string, WhitenConvention> = {
  biased_eps1e8: 'biasedVariance',
  unbiased_eps1e8: 'unbiasedVariance',
  unbiased_std_plus_1e5: 'unbiasedDeviation',
};

if (!hasFixture('ppo', 'cases.json')) test.skip('ppo: absent from the fixtures');
else {
  const cases: PpoCases = readPpoCases();
  const arrays = readPpoArrays();
  const atol = cases.tolerance.f64_implementation;
  const data = (name: string): Float64Array => tensor(arrays, name).data;

  describe('GAE', () => {
    test.each(cases.gae)('$prefix', ({ prefix, inputs, gamma, lam, shape: [rows, steps] }) => {
      const actual = gae({
        rewards: data(`${inputs}.rewards`),
        dones: data(`${inputs}.dones`),
        values: data(`${inputs}.values`),
        rows,
        steps,
        gamma,
        gaeLambda: lam,
      });
      expectClose('advantages', actual.advantages, data(`${prefix}.advantages`), { atol });
      expectClose('returns', actual.returns, data(`${prefix}.returns`), { atol });
    });
  });

  describe('whitening', () => {
    const names = [...arrays.keys()].filter((name) => name.startsWith('whiten.'));
    test.each(names)('%s', (name) => {
      const [, kind, mask, convention] = name.split('.') as [string, string, string, string];
      const valid = data(`ppo.mask.${mask}`);
      const actual = whiten(data(`ppo.${kind}.advantages`), valid, conventions[convention]!);
      const expected = data(name).map((value, i) => (valid[i] === 0 ? 0 : value));
      expectClose(name, actual, expected, { atol });
    });

    test.each(Object.values(conventions))('%s: equal values become 0, and so do one or none', (convention) => {
      const equal = whiten([0.5, 0.5, 0.5], [1, 1, 1], convention);
      const one = whiten([3, 5, 7], [0, 1, 0], convention);
      const none = whiten([3, 5, 7], [0, 0, 0], convention);
      for (const values of [equal, one, none]) expect(Array.from(values)).toEqual([0, 0, 0]);
    });
  });
}
