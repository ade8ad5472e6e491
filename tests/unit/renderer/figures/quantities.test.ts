import { describe, expect, it } from 'vitest';
import { wilsonInterval, z95 } from '../../../../main/contract/wilson.ts';
import { wilson } from '../../../../main/ml/statistics/proportions.ts';
import {
  about,
  bytes,
  decimal,
  duration,
  parameterCount,
  percentWithInterval,
} from '../../../../renderer/figures/quantities.ts';

describe('wilsonInterval', () => {
  it('is the interval of Newcombe (1998), Table I: 81 of 263 and 15 of 148', () => {
    const [low, high] = wilsonInterval(81, 263);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.2553', '0.3662']);
    const [low2, high2] = wilsonInterval(15, 148);
    expect([low2.toFixed(4), high2.toFixed(4)]).toEqual(['0.0624', '0.1605']);
  });
  it('is what the verdicts test with, so that a chart never contradicts the words', () => {
    for (const n of [1, 20, 234, 600])
      for (const correct of [0, 1, Math.floor(n / 3), n]) {
        const { low, high } = wilson({ correct, n });
        const drawn = wilsonInterval(correct, n, z95);
        expect(Math.abs(drawn[0] - low)).toBeLessThan(1e-9);
        expect(Math.abs(drawn[1] - high)).toBeLessThan(1e-9);
      }
  });
  it('stays within 0..1, exact at the ends, and knows nothing without trials', () => {
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    expect(wilsonInterval(10, 10)[1]).toBe(1);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});

describe('numbers as text', () => {
  it('gives a share with its interval and counts', () => {
    expect(percentWithInterval(81, 263)).toBe('30.8 % (95 % CI 25.5–36.6), 81 of 263');
  });
  it.each([
    [999, '999 B'],
    [1500, '1.5 kB'],
    [532480, '532 kB'],
    [15.2e9, '15.2 GB'],
  ])('%d bytes', (count, text) => expect(bytes(count)).toBe(text));
  it.each([
    [400, '0 s'],
    [45_000, '45 s'],
    [200_000, '3 min 20 s'],
    [740_000, '12 min'],
    [7_500_000, '2 h 05 min'],
  ])('%d ms', (ms, text) => expect(duration(ms)).toBe(text));
  it.each([
    [0, 'about 10 s'],
    [42_000, 'about 50 s'],
    [57_000, 'about 1 min'],
    [227_000, 'about 4 min'],
    [740_000, 'about 12 min'],
    [2_060_000, 'about 35 min'],
    [3_500_000, 'about 1 h'],
    [7_900_000, 'about 2 h 10 min'],
    [35_800_000, 'about 10 h'],
    [50_000_000, 'about 14 h'],
  ])('an estimate of %d ms', (ms, text) => expect(about(ms)).toBe(text));
  it('writes parameters and small numbers readably', () => {
    expect(parameterCount(133_120)).toBe('133.1 k');
    expect(decimal(0.000123)).toBe('1.23e-4');
    expect(decimal(-0.25)).toBe('-0.25');
    expect(decimal(NaN)).toBe('–');
  });
});
