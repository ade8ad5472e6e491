import { describe, expect, it } from 'vitest';
import { planEpisodes, plannedRise } from '../../../../../renderer/features/studies/episodePlan.ts';
import { aboutCount, points } from '../../../../../renderer/figures/quantities.ts';

describe('the episode planner', () => {
  it('says the published example: 1.3 points above 16.2 %', () => {
    const [low, high] = [38 / 234, 41 / 234].map((share) => 100 * share) as [number, number];
    const plan = planEpisodes(String(low), String(high - low), '');
    if (!plan.ok) throw new Error(plan.message);
    expect(aboutCount(plan.unpairedTwoSided)).toBe('about 13,400');
    expect(aboutCount(plan.unpaired)).toBe('about 10,600');
    expect(plan.assumed).toBe(true);
    expect(plan.setting).toBe(2 * plan.paired);
  });
  it('needs fewer where answers agree', () => {
    const [agreeing, unrelated] = [planEpisodes('20', '5', '10'), planEpisodes('20', '5', '')];
    if (!agreeing.ok || !unrelated.ok) throw new Error('no plan');
    expect(agreeing.paired).toBeLessThan(unrelated.paired / 3);
    expect(agreeing.unpaired).toBe(unrelated.unpaired);
    expect(agreeing.assumed).toBe(false);
  });
  it.each([
    ['', '5', '', 'The accuracy'],
    ['120', '5', '', 'The accuracy'],
    ['20', '0', '', 'The difference'],
    ['20', 'x', '', 'The difference'],
    ['98', '5', '', 'above 100 %'],
    ['20', '5', '3', 'Answers disagree'],
    ['20', '5', 'x', 'Answers disagree'],
  ])('refuses %s, %s, %s', (accuracy, difference, disagreement, message) => {
    const plan = planEpisodes(accuracy, difference, disagreement);
    expect(plan).toMatchObject({ ok: false, message: expect.stringContaining(message) as string });
  });
  it('says what the planned number tells, of its reporting half', () => {
    expect(plannedRise('20', 600)).toMatch(
      /^The 600 evaluation episodes that are set tell a rise from 20.0 % to 28\.\d %/,
    );
    expect(plannedRise('50', 4)).toMatch(/tell no rise/);
    expect(plannedRise('100', 600)).toBeNull();
    expect(plannedRise('20', NaN)).toBeNull();
  });
});

describe('numbers of it', () => {
  it.each([
    [7, '7'],
    [999, '999'],
    [1004, 'about 1,000'],
    [13_424, 'about 13,400'],
    [123_456, 'about 123,000'],
  ])('%d', (count, text) => expect(aboutCount(count)).toBe(text));
  it.each([
    [0.0167, '+1.7 points'],
    [-0.1, '-10.0 points'],
    [-0.0001, '0.0 points'],
  ])('%d', (difference, text) => expect(points(difference)).toBe(text));
});
