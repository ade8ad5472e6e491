/** The queue with real worker processes and a real database. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { physicalCores } from '../../main/jobs/physicalCores.ts';
import { until } from './engineProcess.ts';
import { expectExactlyOnce, metricRows, openBench, order, settle, undisturbed } from './jobBench.ts';

test('a job goes from the queue to its end and leaves its events, numbers, log and request', async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 12 }));
  const [job] = await settle(bench);
  expect(job).toMatchObject({ id, state: 'succeeded', attempt: 1, error: null });
  expect(bench.states).toEqual(['queued', 'running', 'succeeded']);
  expect(job!.progress).toMatchObject({ done: 12, total: 12 });
  expect(bench.store.jobs.output(id)).toEqual({ counted: 12 });
  expect(metricRows(bench, id).map(([step, value]) => [step, value])).toEqual(undisturbed(12));
  expect(bench.store.results.evaluations(id).map(({ step }) => step)).toEqual([5, 10]);
  expectExactlyOnce(bench, id);
  const folder = bench.supervisor.folder(id);
  expect(JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8'))).toMatchObject({ request: { steps: 12 } });
  expect(readFileSync(join(folder, 'worker.log'), 'utf8')).toContain('attempt 1 from step 0');
});

test('jobs run side by side up to the slots, in order', async () => {
  const bench = await openBench(2);
  const jobs = ['a', 'b', 'c'].map((title) => bench.supervisor.enqueue(order({ steps: 20, stepMs: 20 }, title)));
  await until(
    () => bench.store.jobs.withState('running').length,
    (count) => count === 2,
  );
  expect(bench.store.jobs.withState('queued').map(({ title }) => title)).toEqual(['c']);
  await settle(bench, 3);
  for (const { id } of jobs) expect(bench.store.jobs.get(id)!.state).toBe('succeeded');
});

test('a job of a task in text has the cores to itself, and what comes after it waits its turn', async () => {
  const bench = await openBench(2);
  const request = { steps: 20, stepMs: 10 };
  const large = { ...request, task: { name: 'rank' } };
  const jobs = [request, large, request, request].map((one) => bench.supervisor.enqueue(order(one)));
  await settle(bench, 4);
  const [first, alone, third, fourth] = jobs.map(({ id }) => bench.store.jobs.get(id)!);
  expect([first!, alone!, third!, fourth!].map(({ state }) => state)).toEqual(Array(4).fill('succeeded'));
  expect(alone!.startedAtMs).toBeGreaterThanOrEqual(first!.endedAtMs!);
  for (const later of [third!, fourth!]) expect(later.startedAtMs).toBeGreaterThanOrEqual(alone!.endedAtMs!);
  const file = readFileSync(join(bench.supervisor.folder(alone!.id), 'request.json'), 'utf8');
  expect((JSON.parse(file) as { threads: number }).threads).toBe(physicalCores());
});

test('a failure keeps its error and its message', async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 9, failAtStep: 3 }));
  const [job] = await settle(bench);
  expect(job).toMatchObject({ id, state: 'failed', error: { code: 'INTERNAL', message: 'Step 3 cannot be done.' } });
  expect(job!.error!.cause).toContain('testKinds');
  expect(() => bench.supervisor.resume('unknown')).toThrow(/not in the list/);
});

test('cancel ends a running job and a queued one, and a cancelled job can be resumed', async () => {
  const bench = await openBench(1);
  const running = bench.supervisor.enqueue(order({ steps: 1000, stepMs: 10 }));
  const queued = bench.supervisor.enqueue(order({ steps: 5 }));
  await until(
    () => bench.store.jobs.get(running.id)!.lastSeq,
    (seq) => seq > 20,
  );
  expect(bench.supervisor.cancel(queued.id).state).toBe('cancelled');
  bench.supervisor.cancel(running.id);
  await settle(bench, 2);
  expect(bench.store.jobs.get(running.id)).toMatchObject({ state: 'cancelled', error: null });
  expectExactlyOnce(bench, running.id);
  bench.supervisor.resume(queued.id);
  await settle(bench, 3);
  expect(bench.store.jobs.get(queued.id)).toMatchObject({ state: 'succeeded', attempt: 2 });
  expect(() => bench.supervisor.resume(queued.id)).toThrow(/cannot be resumed/);
});

test('a worker that hears no signal is ended by force', { timeout: 30_000 }, async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 9, hangAtStep: 2 }));
  await until(
    () => bench.store.jobs.get(id)!.lastSeq,
    (seq) => seq >= 4,
  );
  bench.supervisor.cancel(id);
  await settle(bench);
  expect(bench.store.jobs.get(id)!.state).toBe('cancelled');
});

test('a killed worker leaves its reason; resumed, the numbers are those of a run never killed', async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 20, crashAtStep: 13 }));
  const [crashed] = await settle(bench);
  expect(crashed).toMatchObject({
    state: 'interrupted',
    error: { code: 'WORKER_CRASHED', details: { signal: 'SIGKILL' } },
  });
  expect(crashed!.error!.message).toContain('SIGKILL');
  expect(metricRows(bench, id).length).toBe(13);
  bench.supervisor.resume(id);
  await settle(bench, 2);
  expect(bench.store.jobs.get(id)).toMatchObject({ state: 'succeeded', attempt: 2, error: null });
  const rows = metricRows(bench, id);
  expect(rows.map(([step, value]) => [step, value])).toEqual(undisturbed(20));
  // Steps past the resume point at 10 were written again.
  expect(rows.map(([, , attempt]) => attempt)).toEqual([...Array(10).fill(1), ...Array(10).fill(2)]);
  expectExactlyOnce(bench, id);
});

test('rows past the resume point are void as soon as the new attempt speaks', async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 20, crashAtStep: 14, thenCrashAtStep: 8 }));
  await settle(bench);
  expect(metricRows(bench, id)).toHaveLength(14);
  // The resume state is older than the last resume point of the events, as after a restore: attempt 2 begins at 5.
  const state = join(bench.supervisor.folder(id), 'state.json');
  writeFileSync(state, JSON.stringify({ step: 5 }));
  bench.supervisor.resume(id);
  await settle(bench, 2);
  const attempts = metricRows(bench, id).map(([, , attempt]) => attempt);
  expect(attempts).toEqual([...Array(5).fill(1), ...Array(3).fill(2)]);
  expect(bench.store.results.evaluations(id).map(({ step }) => step)).toEqual([5]);
  bench.supervisor.resume(id);
  await settle(bench, 3);
  expect(metricRows(bench, id).map(([step, value]) => [step, value])).toEqual(undisturbed(20));
  expect(bench.store.results.evaluations(id).map(({ step }) => step)).toEqual([5, 10, 15, 20]);
});

test('a torn last line is left out, cut off at the next attempt, and nothing is lost or doubled', async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 10, crashAtStep: 7 }));
  const [crashed] = await settle(bench);
  const file = join(bench.supervisor.folder(id), 'events.jsonl');
  appendFileSync(file, '{"seq":999,"timeMs":17,"type":"metr');
  bench.supervisor.resume(id);
  await settle(bench, 2);
  expect(bench.store.jobs.get(id)!.state).toBe('succeeded');
  expect(bench.store.jobs.get(id)!.lastSeq).toBeGreaterThan(crashed!.lastSeq);
  // Not the digits alone: a time of day may hold them.
  expect(readFileSync(file, 'utf8')).not.toContain('"seq":999');
  expectExactlyOnce(bench, id);
});

test('a lost tail of events.jsonl does not make numbers collide', async () => {
  const bench = await openBench();
  const { id } = bench.supervisor.enqueue(order({ steps: 10, crashAtStep: 7 }));
  const [crashed] = await settle(bench);
  const file = join(bench.supervisor.folder(id), 'events.jsonl');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  writeFileSync(file, `${lines.slice(0, -4).join('\n')}\n`);
  bench.supervisor.resume(id);
  await settle(bench, 2);
  const events = bench.store.results.events(id, 0, 1000);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.find(({ seq }) => seq === crashed!.lastSeq + 1)!.type).toBe('started');
  expect(metricRows(bench, id).map(([step, value]) => [step, value])).toEqual(undisturbed(10));
});

test('a stop in order leaves running and queued jobs interrupted, to be resumed', async () => {
  const bench = await openBench(1);
  const running = bench.supervisor.enqueue(order({ steps: 1000, stepMs: 10 }));
  const queued = bench.supervisor.enqueue(order({ steps: 5 }));
  await until(
    () => bench.store.jobs.get(running.id)!.lastSeq,
    (seq) => seq > 10,
  );
  await bench.supervisor.stop();
  for (const { id } of [running, queued])
    expect(bench.store.jobs.get(id)).toMatchObject({ state: 'interrupted', error: { code: 'INTERRUPTED' } });
  expect(existsSync(join(bench.supervisor.folder(running.id), 'worker.json'))).toBe(true);
});

test('jobs that read files have a lane of their own: they start while every core is taken, one at a time', async () => {
  const bench = await openBench(1);
  const study = bench.supervisor.enqueue(order({ steps: 400, stepMs: 10 }));
  const waiting = bench.supervisor.enqueue(order({ steps: 5 }));
  const request = { a: { id: 'a', name: 'a', folder: '/none' }, b: { id: 'b', name: 'b', folder: '/none' }, equal: [] };
  const reading = { ...order({ steps: 1 }), kind: 'diffCheckpoints', request } as const;
  const readers = [bench.supervisor.enqueue(reading), bench.supervisor.enqueue(reading)];
  await settle(bench, 2);
  // They fail, their folder not being there: but they have run beside the study, and nothing else has.
  expect(bench.settled.map(({ id, state, error }) => [id, state, error?.code])).toEqual(
    readers.map(({ id }) => [id, 'failed', 'NOT_FOUND']),
  );
  expect(bench.settled[1]!.startedAtMs).toBeGreaterThanOrEqual(bench.settled[0]!.endedAtMs!);
  expect(bench.store.jobs.get(study.id)!.state).toBe('running');
  expect(bench.store.jobs.get(waiting.id)!.state).toBe('queued');
});
