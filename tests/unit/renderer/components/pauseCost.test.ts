import { expect, test } from 'vitest';
import type { Job } from '../../../../main/contract/api.ts';
import { pauseCost } from '../../../../renderer/components/pauseCost.ts';

const job = (more: Partial<Job>): Job =>
  ({ kind: 'sft', state: 'running', startedAtMs: 100_000, resumePoint: null, ...more }) as Job;

test('training goes on from its last checkpoint, whose age is what is lost', () => {
  const cost = pauseCost(job({ resumePoint: { step: 150, timeMs: 160_000 } }), 172_000);
  expect(cost).toEqual({
    text: 'it goes on from step 150, its last checkpoint; what it did since, 12 s, is done again.',
    lostMs: 12_000,
  });
});

test('without a checkpoint all is lost, and one of an earlier attempt is older than this one', () => {
  expect(pauseCost(job({}), 190_000)).toEqual({
    text: 'it starts again from the beginning, 1 min 30 s of work: it has no checkpoint yet.',
    lostMs: 90_000,
  });
  const resumed = pauseCost(job({ resumePoint: { step: 150, timeMs: 50_000 } }), 107_000);
  expect(resumed).toEqual({
    text: 'it goes on from step 150, the checkpoint of an earlier attempt; what it did since, 7 s, is done again.',
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
    text: expect.stringMatching(/from the beginning, 3 s/) as string,
  });
  expect(pauseCost(job({ state: 'queued', startedAtMs: null }), 190_000).lostMs).toBe(0);
});
