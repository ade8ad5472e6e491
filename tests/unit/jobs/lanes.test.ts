import { expect, test } from 'vitest';
import type { Job } from '../../../main/contract/api.ts';
import { nextJobs } from '../../../main/jobs/lanes.ts';

const job = (kind: Job['kind'], request: unknown = {}): Job => ({ kind, request }) as Job;
const large = { task: { name: 'rank' } };
const [sft, rl, hash, text] = [job('sft'), job('rl'), job('hashCheckpoints'), job('sft', large)];

test('as many that compute as there are slots, one that reads files beside them, in the order of the queue', () => {
  expect(nextJobs([sft, hash, rl, job('ablate')], [], 2)).toEqual([sft, hash, rl]);
  expect(nextJobs([rl, hash], [sft, job('copyCheckpoint')], 2)).toEqual([rl]);
  expect(nextJobs([rl, hash], [sft], 1)).toEqual([hash]);
});

test('a job that takes the machine waits until it is free, and holds what comes after it, but for files', () => {
  expect(nextJobs([text, rl, hash], [sft], 4)).toEqual([hash]);
  expect(nextJobs([text, rl, hash], [], 4)).toEqual([text, hash]);
  expect(nextJobs([rl, hash], [text], 4)).toEqual([hash]);
  expect(nextJobs([rl, text, sft], [], 4)).toEqual([rl]);
});
