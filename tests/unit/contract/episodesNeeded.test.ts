import { describe, expect, it } from 'vitest';
import { Philox } from '../../../main/ml/random/philox.ts';
import {
  detectableRise,
  episodesNeeded,
  independentDisagreement,
  pairedEpisodesNeeded,
} from '../../../main/contract/episodesNeeded.ts';
import { exactMcNemar, newcombeP } from '../../../main/ml/statistics/proportions.ts';

describe('episodes needed', () => {
  it('for the 1.3 points between 38/234 and 41/234: about 13,400 two-sided, 10,550 one-sided', () => {
    expect(Math.abs(episodesNeeded(41 / 234, 38 / 234, { sides: 2 }) - 13_400)).toBeLessThan(50);
    expect(Math.abs(episodesNeeded(41 / 234, 38 / 234) - 10_550)).toBeLessThan(50);
  });
  it('by the tables: z 1.645 + 0.842, 1.960 + 0.842, 1.645 + 1.282', () => {
    const wanted = (z: number): number => Math.ceil((z * z * (0.25 + 0.24)) / 0.01);
    expect(Math.abs(episodesNeeded(0.5, 0.6) - wanted(1.6449 + 0.8416))).toBeLessThanOrEqual(1);
    expect(Math.abs(episodesNeeded(0.5, 0.6, { sides: 2 }) - wanted(1.96 + 0.8416))).toBeLessThanOrEqual(1);
    expect(Math.abs(episodesNeeded(0.5, 0.6, { power: 0.9 }) - wanted(1.6449 + 1.2816))).toBeLessThanOrEqual(1);
  });
  it('does not depend on the order, falls with the difference, and is infinite without one', () => {
    expect(episodesNeeded(0.2, 0.3)).toBe(episodesNeeded(0.3, 0.2));
    expect(episodesNeeded(0.2, 0.2)).toBe(Infinity);
    for (let gap = 0.02; gap < 0.7; gap += 0.02)
      expect(episodesNeeded(0.2, 0.2 + gap)).toBeLessThanOrEqual(episodesNeeded(0.2, 0.18 + gap));
  });
  it('separates four times in five by the test that the verdicts use (simulated)', () => {
    const [a, b, trials] = [0.45, 0.35, 600];
    const n = episodesNeeded(a, b);
    const random = new Philox('power');
    const count = (p: number): number => Array.from({ length: n }, () => random.uniform() < p).filter(Boolean).length;
    let separated = 0;
    for (let i = 0; i < trials; i++) {
      if (newcombeP({ correct: count(a), n }, { correct: count(b), n }) < 0.05) separated++;
    }
    // five standard errors of a share of 0.8
    expect(Math.abs(separated / trials - 0.8)).toBeLessThan(5 * Math.sqrt(0.16 / trials));
  });
  it('and what so many episodes detect are inverse to each other', () => {
    for (const base of [0, 0.16, 0.5, 0.9]) {
      const rise = detectableRise(base, 600)!;
      expect(episodesNeeded(base, base + rise)).toBeLessThanOrEqual(600);
      expect(episodesNeeded(base, base + rise - 1e-4)).toBeGreaterThanOrEqual(600);
    }
    expect(detectableRise(0.5, 2)).toBeNull();
    expect(detectableRise(1, 100)).toBeNull();
  });
  it('for pairs: 22 two-sided and 17 one-sided at 5 % against 45 % (the checked example of the R package MESS)', () => {
    expect(pairedEpisodesNeeded(0.4, 0.5, { sides: 2 })).toBe(23); // 22.01, rounded up
    expect(pairedEpisodesNeeded(0.4, 0.5)).toBe(18); // 17.09
    expect(pairedEpisodesNeeded(-0.4, 0.5)).toBe(18);
  });
  it('for pairs: fewer than for two arms where answers agree, about as many where they are independent', () => {
    const [a, b] = [0.4, 0.3];
    const independent = pairedEpisodesNeeded(a - b, independentDisagreement(a, b));
    expect(Math.abs(independent / episodesNeeded(a, b) - 1)).toBeLessThan(0.05);
    expect(pairedEpisodesNeeded(a - b, 0.15)).toBeLessThan(0.4 * independent);
    expect(pairedEpisodesNeeded(0, 0.3)).toBe(Infinity);
  });
  it('for pairs: separates four times in five by the test of the verdicts', () => {
    const [difference, disagreement, trials] = [0.08, 0.2, 600];
    const n = pairedEpisodesNeeded(difference, disagreement);
    const random = new Philox('paired power');
    let separated = 0;
    for (let i = 0; i < trials; i++) {
      let [a, b] = ['', ''];
      for (let episode = 0; episode < n; episode++) {
        const u = random.uniform();
        a += u < (disagreement + difference) / 2 ? '1' : '0';
        b += u > 1 - (disagreement - difference) / 2 ? '1' : '0';
      }
      if (exactMcNemar(a, b).pGreater <= 0.05) separated++;
    }
    const tolerance = 5 * Math.sqrt(0.16 / trials);
    expect(separated / trials).toBeLessThan(0.8 + tolerance);
    // an exact test is conservative
    expect(separated / trials).toBeGreaterThan(0.75 - tolerance);
  });
  it('refuses what is no share and no level', () => {
    expect(() => episodesNeeded(1.2, 0.3)).toThrow('1.2 is no accuracy');
    expect(() => episodesNeeded(NaN, 0.3)).toThrow('no accuracy');
    expect(() => episodesNeeded(0.1, 0.3, { alpha: 0.7 })).toThrow('level 0.7');
    expect(() => pairedEpisodesNeeded(0.3, 0.2)).toThrow('as much disagreement');
    expect(() => pairedEpisodesNeeded(NaN, 0.2)).toThrow('as much disagreement');
  });
});
