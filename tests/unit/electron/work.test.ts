import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Job, Study } from '../../../main/contract/api.ts';
import { WorkList } from '../../../electron/work.ts';

const job = (id: string, state: Job['state'], done = 0, more: Partial<Job> = {}): Job => ({
  ...{ id, kind: 'compare', title: `Compare ${id}`, state, studyId: null, stageId: null, seed: null, request: {} },
  ...{
    provenance: null,
    error: null,
    attempt: 1,
    position: 1,
    stopping: null,
    resumePoint: null,
    lastSeq: 0,
    createdAtMs: 0,
    startedAtMs: 0,
    endedAtMs: null,
  },
  progress: { done, total: 10, text: '', remainingMs: null },
  ...more,
});
const study = (state: Study['state'], progress: number, failed = false): Study =>
  ({
    ...{ id: 's', name: 'Miniature', state, progress },
    stages: failed ? [{ title: 'SFT · seed 0', state: 'failed' }] : [],
  }) as unknown as Study;

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

test('the share is the mean of what is under way, and nothing when nothing is', () => {
  const work = new WorkList();
  expect([work.size, work.share]).toEqual([0, null]);
  work.putJob(job('a', 'running', 5));
  work.putStudy(study('running', 0.1));
  expect(work.size).toBe(2);
  expect(work.share).toBeCloseTo(0.3, 12);
  work.putJob(job('a', 'cancelled'));
  expect(work.share).toBeCloseTo(0.1, 12);
  work.clear();
  expect(work.share).toBeNull();
  work.putJob(job('b', 'running', 0, { progress: null }));
  expect(work.share).toBeNaN();
});

test('work that ends is told once, with its time; what was never seen to run is not', () => {
  const work = new WorkList();
  expect(work.putJob(job('a', 'succeeded'))).toBeNull();
  work.putJob(job('a', 'running'));
  vi.setSystemTime(45_000);
  const ended = { path: '/jobs/a', name: 'Compare a', outcome: 'has finished.', durationMs: 45_000 };
  expect(work.putJob(job('a', 'succeeded'))).toEqual(ended);
  expect(work.putJob(job('a', 'succeeded'))).toBeNull();
});

test('a study counts from when it was seen to run, over all its jobs', () => {
  const work = new WorkList();
  work.putStudy(study('running', 0));
  vi.setSystemTime(20_000);
  expect(work.putStudy(study('running', 0.5))).toBeNull();
  vi.setSystemTime(40_000);
  expect(work.putStudy(study('succeeded', 1))).toMatchObject({ path: '/studies/s', durationMs: 40_000 });
  work.putStudy(study('running', 0.5));
  vi.setSystemTime(50_000);
  expect(work.putStudy(study('failed', 0.6, true))).toMatchObject({
    outcome: 'failed. SFT · seed 0 did not succeed.',
    durationMs: 10_000,
  });
});

test('what the user ended is no news; a failure says why', () => {
  const work = new WorkList();
  for (const state of ['cancelled', 'interrupted', 'queued'] as const) {
    work.putJob(job('a', 'running'));
    expect(work.putJob(job('a', state)), state).toBeNull();
  }
  work.putJob(job('a', 'running'));
  const error = { code: 'NOT_FINITE', message: 'The loss is not finite.' } as unknown as Job['error'];
  expect(work.putJob(job('a', 'failed', 3, { error }))?.outcome).toBe('failed. The loss is not finite.');
});
