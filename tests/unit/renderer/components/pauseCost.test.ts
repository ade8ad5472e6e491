import { expect, test } from 'vitest';
import type { Job } from '../../../../main/contract/api.ts';
import { pauseCost } from '../../../../renderer/components/pauseCost.ts';

const job = (more: Partial<Job>): Job =>
  ({ kind: 'sft', state: 'running', startedAtMs: 100_000, resumePoint: null, ...more }) as Job;

test('training goes on from its last checkpoint, whose age is what is lost', () => {
  const cost = pauseCost(job({ resumePoint: { step: 150, timeMs: 160_000 } }), 172_000);
  expect(cost).toEqual({ text: 'It goes on from step 150, its last checkpoint, 12 s old.', lostMs: 12_000 });
});

test('without a checkpoint all is lost, and one of an earlier attempt is older than this one', () => {
  expect(pauseCost(job({}), 190_000)).toEqual({
    text: 'It has no checkpoint yet: it starts again from the beginning (1 min 30 s of work).',
    lostMs: 90_000,
  });
  const resumed = pauseCost(job({ resumePoint: { step: 150, timeMs: 50_000 } }), 107_000);
  expect(resumed).toEqual({
    text: 'It goes on from step 150, its last checkpoint, which an earlier attempt left; this one has run for 7 s.',
    lostMs: 7000,
  });
});

test('jobs of parts lose the part under way, short ones begin anew, waiting ones lose nothing', () => {
  expect(pauseCost(job({ kind: 'compare' }), 190_000)).toMatchObject({
    lostMs: 0,
    text: expect.stringMatching(/part that is under way/) as string,
  });
  expect(pauseCost(job({ kind: 'selfTest' }), 103_000)).toMatchObject({
    lostMs: 3000,
    text: expect.stringMatching(/from the beginning \(3 s/) as string,
  });
  expect(pauseCost(job({ state: 'queued', startedAtMs: null }), 190_000).lostMs).toBe(0);
});
