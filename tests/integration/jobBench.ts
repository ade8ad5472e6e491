/** The queue with real worker processes, a real database and tiny kinds, for tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { Job } from '../../main/contract/api.ts';
import { workerEventSchema } from '../../main/contract/events.ts';
import { JobSupervisor } from '../../main/jobs/supervisor.ts';
import { openStore } from '../../main/store/store.ts';
import type { Store } from '../../main/store/store.ts';
import { temporaryFolder, until } from './engineProcess.ts';
import { valueAt } from './kinds/testKinds.ts';
import type { CountRequest } from './kinds/testKinds.ts';

process.env['NODE_ENV'] = 'test';
process.env['ROTASCOPE_TEST_KINDS'] = fileURLToPath(new URL('./kinds/testKinds.ts', import.meta.url));

export interface Bench {
  folder: string;
  store: Store;
  supervisor: JobSupervisor;
  settled: Job[];
  states: string[];
  /** In order, as when the app is quit; also called when the test ends. */
  close(): Promise<void>;
}

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** @param folder of an earlier bench: its database is opened again */
export async function openBench(slots = 2, folder?: string): Promise<Bench> {
  folder ??= await temporaryFolder();
  const store = await openStore(join(folder, 'rotascope.sqlite'));
  const supervisor = new JobSupervisor({
    store,
    jobsFolder: join(folder, 'jobs'),
    slots: () => slots,
    versions: {},
    log,
  });
  const settled: Job[] = [];
  const states: string[] = [];
  supervisor.listen({
    onJob: (job) => states.at(-1) === job.state || states.push(job.state),
    onEvents: () => undefined,
    onSettled: (job) => settled.push(job),
  });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await supervisor.stop();
    store.close();
  };
  onTestFinished(close);
  return { folder, store, supervisor, settled, states, close };
}

export const order = (request: CountRequest, title = 'Count') =>
  ({ kind: 'selfTest', title, studyId: null, stageId: null, seed: null, request }) as const;

export const settle = (bench: Bench, count = 1): Promise<Job[]> =>
  until(
    () => bench.settled,
    (jobs) => jobs.length >= count,
  );

/** Every event of the file is in the table once, in order, and nothing else is. */
export function expectExactlyOnce(bench: Bench, jobId: string): void {
  const lines = readFileSync(join(bench.supervisor.folder(jobId), 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  const written = lines.map((line) => workerEventSchema.parse(JSON.parse(line)));
  const stored = bench.store.results.events(jobId, 0, 100_000);
  expect(stored).toEqual(written);
  expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
}

/** [step, value] as a run that was never disturbed leaves it. */
export const undisturbed = (steps: number) => Array.from({ length: steps }, (_, i) => [i + 1, valueAt(i + 1)]);

export function metricRows(bench: Bench, jobId: string): [number, number, number][] {
  const stored = bench.store.results.metrics(jobId);
  return stored.map(({ step, values }) => [step, values['value']!, values['attempt']!]);
}
