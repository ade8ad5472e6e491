/** Order and pause of the queue, over restarts too, with real worker processes and a real database. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from './engineProcess.ts';
import { expectExactlyOnce, metricRows, openBench, order, settle, undisturbed } from './jobBench.ts';
import type { Bench } from './jobBench.ts';

const titles = ({ store }: Bench): string[] => store.jobs.withState('queued').map(({ title }) => title);

/** One slot: a long job that runs, and others that wait for it. */
async function waiting(bench: Bench, names: string[]): Promise<{ first: string; id: Record<string, string> }> {
  const first = bench.supervisor.enqueue(order({ steps: 2000, stepMs: 10 }, 'first')).id;
  const id = Object.fromEntries(names.map((name) => [name, bench.supervisor.enqueue(order({ steps: 3 }, name)).id]));
  await until(
    () => bench.store.jobs.get(first)!.lastSeq,
    (seq) => seq > 12,
  );
  return { first, id };
}

/** As after a crash: nothing was said to the supervisor, and its worker is gone. */
const stateAfterCrash = (bench: Bench, id: string, stopping: 'paused' | 'cancelled'): void => {
  bench.store.jobs.transition(id, ['interrupted', 'queued'], 'running');
  bench.store.jobs.setStopping(id, stopping);
};

test('waiting jobs start in the order that they were moved into', async () => {
  const bench = await openBench(1);
  const { first, id } = await waiting(bench, ['a', 'b', 'c', 'd']);
  bench.supervisor.move(id['d']!, id['a']!);
  expect(titles(bench)).toEqual(['d', 'a', 'b', 'c']);
  bench.supervisor.move(id['a']!, null);
  expect(titles(bench)).toEqual(['d', 'b', 'c', 'a']);
  bench.supervisor.move(id['c']!, id['b']!);
  expect(titles(bench)).toEqual(['d', 'c', 'b', 'a']);
  expect(() => bench.supervisor.move(first, id['b']!)).toThrow(/does not wait/);
  expect(() => bench.supervisor.move(id['b']!, first)).toThrow(/does not wait/);
  expect(titles(bench)).toEqual(['d', 'c', 'b', 'a']);
  bench.supervisor.cancel(first);
  await settle(bench, 5);
  expect(bench.settled.map(({ title }) => title)).toEqual(['first', 'd', 'c', 'b', 'a']);
});

test('a job can be moved any number of times, and those that come later stay last', async () => {
  const bench = await openBench(1);
  const { id } = await waiting(bench, ['a', 'b', 'c']);
  // Always into the same gap: its halves run out of digits after some fifty moves.
  for (let turn = 0; turn < 200; turn++)
    bench.supervisor.move(id[turn % 2 === 0 ? 'b' : 'c']!, id[turn % 2 === 0 ? 'c' : 'b']!);
  expect(titles(bench)).toEqual(['a', 'c', 'b']);
  bench.supervisor.enqueue(order({ steps: 3 }, 'late'));
  expect(titles(bench)).toEqual(['a', 'c', 'b', 'late']);
});

test('the order holds over a restart', async () => {
  const bench = await openBench(1);
  const { id } = await waiting(bench, ['a', 'b', 'c']);
  bench.supervisor.move(id['c']!, id['a']!);
  await bench.close();
  const again = await openBench(1, bench.folder);
  again.supervisor.pauseQueue(true);
  for (const name of ['a', 'b', 'c']) again.supervisor.resume(id[name]!);
  expect(titles(again)).toEqual(['c', 'a', 'b']);
});

test('a paused job stops at its resume point, frees its slot, and goes on with the same numbers', async () => {
  const bench = await openBench(1);
  const { id } = bench.supervisor.enqueue(order({ steps: 60, stepMs: 10 }));
  const next = bench.supervisor.enqueue(order({ steps: 3 }, 'next'));
  await until(
    () => bench.store.jobs.get(id)!.lastSeq,
    (seq) => seq > 30,
  );
  expect(bench.supervisor.pause(id)).toMatchObject({ state: 'running', stopping: 'paused' });
  await settle(bench, 2);
  const paused = bench.store.jobs.get(id)!;
  expect(paused).toMatchObject({ state: 'paused', stopping: null, error: null, attempt: 1 });
  expect(paused.progress!.done).toBeGreaterThan(10);
  const { step } = JSON.parse(readFileSync(join(bench.supervisor.folder(id), 'state.json'), 'utf8')) as {
    step: number;
  };
  expect(paused.resumePoint).toMatchObject({ step });
  expect(bench.store.jobs.get(next.id)!.state).toBe('succeeded');
  bench.supervisor.resume(id);
  await settle(bench, 3);
  expect(bench.store.jobs.get(id)).toMatchObject({ state: 'succeeded', attempt: 2 });
  const rows = metricRows(bench, id);
  expect(rows.map(([at, value]) => [at, value])).toEqual(undisturbed(60));
  expect(rows.filter(([, , attempt]) => attempt === 1)).toHaveLength(step);
  expectExactlyOnce(bench, id);
});

test('a waiting job can be paused and a paused one given up', async () => {
  const bench = await openBench(1);
  const { id } = await waiting(bench, ['a', 'b']);
  expect(bench.supervisor.pause(id['a']!).state).toBe('paused');
  expect(titles(bench)).toEqual(['b']);
  expect(bench.supervisor.resume(id['a']!).state).toBe('queued');
  // It has kept its place.
  expect(titles(bench)).toEqual(['a', 'b']);
  bench.supervisor.pause(id['a']!);
  expect(bench.supervisor.cancel(id['a']!).state).toBe('cancelled');
  expect(bench.supervisor.pause(id['a']!).state).toBe('cancelled');
});

test('no start of the engine resumes a paused job, not even when a crash came before its worker had ended', async () => {
  const bench = await openBench(1);
  const { first, id } = await waiting(bench, ['a', 'b', 'c']);
  bench.supervisor.pause(id['a']!);
  await bench.close();
  const again = await openBench(1, bench.folder);
  expect(again.store.jobs.get(first)!.state).toBe('interrupted');
  stateAfterCrash(again, id['b']!, 'paused');
  stateAfterCrash(again, id['c']!, 'cancelled');
  await again.supervisor.recover();
  expect(['a', 'b', 'c'].map((name) => again.store.jobs.get(id[name]!)!.state)).toEqual([
    'paused',
    'paused',
    'cancelled',
  ]);
});

test('while the queue is paused nothing new starts, what runs goes on, and a restart changes nothing', async () => {
  const bench = await openBench(2);
  const running = bench.supervisor.enqueue(order({ steps: 40, stepMs: 10 }, 'running'));
  await until(
    () => bench.store.jobs.get(running.id)!.state,
    (state) => state === 'running',
  );
  bench.supervisor.pauseQueue(true);
  const waits = bench.supervisor.enqueue(order({ steps: 3 }, 'waits'));
  await settle(bench, 1);
  expect(bench.settled[0]!.state).toBe('succeeded');
  expect(titles(bench)).toEqual(['waits']);
  await bench.close();
  const again = await openBench(2, bench.folder);
  again.supervisor.resume(waits.id);
  await again.supervisor.recover();
  await new Promise((wake) => setTimeout(wake, 300));
  expect(again.store.jobs.get(waits.id)!.state).toBe('queued');
  again.supervisor.pauseQueue(false);
  await settle(again, 1);
  expect(again.settled[0]).toMatchObject({ title: 'waits', state: 'succeeded' });
});
