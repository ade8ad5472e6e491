import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makespanMs } from '../../../main/jobs/timeLeft.ts';
import type { RemainingStage } from '../../../main/jobs/timeLeft.ts';

const stage = (id: string, durationMs: number, ...dependsOn: string[]): RemainingStage => ({
  id,
  durationMs,
  dependsOn,
});

test('by hand: a chain, a fan, a fan on two cores', () => {
  expect(makespanMs([], 2)).toBe(0);
  expect(makespanMs([stage('a', 3), stage('b', 4, 'a'), stage('c', 5, 'b')], 2)).toBe(12);
  const fan = [
    stage('a', 10),
    stage('b', 4, 'a'),
    stage('c', 4, 'a'),
    stage('d', 4, 'a'),
    stage('e', 1, 'b', 'c', 'd'),
  ];
  expect(makespanMs(fan, 1)).toBe(23);
  expect(makespanMs(fan, 2)).toBe(19);
  expect(makespanMs(fan, 8)).toBe(15);
});

test('what is done already does not hold anything up', () => {
  expect(makespanMs([stage('b', 4, 'done')], 1)).toBe(4);
});

test('a circle is said', () => {
  expect(() => makespanMs([stage('a', 1, 'b'), stage('b', 1, 'a')], 1)).toThrow(/circle/);
});

/** A random plan: a stage depends on earlier ones only. */
const plans = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.array(fc.nat(20), { maxLength: 3 })), { maxLength: 15 })
  .map((rows) =>
    rows.map(([durationMs, before], index) => {
      const dependsOn = index === 0 ? [] : before.map((one) => String(one % index));
      return { id: String(index), durationMs, dependsOn };
    }),
  );

test('law: between the bounds of work and of the longest chain, and not past one core', () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 1, max: 4 }), (stages, slots) => {
      const work = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
      const ends = new Map<string, number>();
      for (const { id, durationMs, dependsOn } of stages)
        ends.set(id, durationMs + Math.max(0, ...dependsOn.map((one) => ends.get(one)!)));
      const chain = Math.max(0, ...ends.values());
      const time = makespanMs(stages, slots);
      expect(time).toBeGreaterThanOrEqual(Math.max(chain, work / slots) - 1e-9);
      expect(time).toBeLessThanOrEqual(work);
      if (slots === 1) expect(time).toBe(work);
    }),
  );
});
