/**
 * Entry of a worker: one process, one attempt of one job. It never opens the database; what it has to say it appends
 * to `events.jsonl`, and a message to the engine only says that there is something to read.
 *
 * Exit codes: 0 succeeded, 1 failed (a `failed` event says why), 3 stopped by a signal or because the engine is gone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Compute } from '../compute/compute.ts';
import { backends } from '../contract/api.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import type { WorkerEventBody } from '../contract/events.ts';
import { EventWriter, eventsFileName, readHistory } from './eventWriter.ts';
import type { EventHistory } from './eventWriter.ts';
import type { JobRequestFile, KindEntry, KindTable } from './jobContext.ts';
import { withSmallerSetting } from './smallerSetting.ts';

export const exitCodes = { succeeded: 0, failed: 1, stopped: 3 } as const;

/** A kind has this long to stop after its signal was aborted; then the process ends under it. */
const abortGraceMs = 5000;
/** The engine is told at most this often that there is something to read, ms. */
const nudgeIntervalMs = 100;

/** Tests bring their own kinds; nothing else may. */
async function kindTable(): Promise<KindTable> {
  const testKinds = process.env['NODE_ENV'] === 'test' ? process.env['ROTASCOPE_TEST_KINDS'] : undefined;
  const module = testKinds
    ? ((await import(pathToFileURL(testKinds).href)) as { kinds: KindTable })
    : await import('./kinds.ts');
  return module.kinds;
}

function makeNudge(): () => void {
  let lastMs = 0;
  let timer: NodeJS.Timeout | null = null;
  const send = (): void => {
    timer = null;
    lastMs = Date.now();
    if (process.connected) process.send?.('events', () => undefined);
  };
  return () => {
    const waitMs = lastMs + nudgeIntervalMs - Date.now();
    if (waitMs <= 0) send();
    else timer ??= setTimeout(send, waitMs).unref();
  };
}

/** Aborts on a signal and when the engine goes; ends the process when the kind does not stop in time. */
function stopWhenAsked(abort: AbortController): void {
  const stop = (reason: string): void => {
    if (abort.signal.aborted) return;
    abort.abort(new AppError('CANCELLED', reason));
    setTimeout(() => process.exit(exitCodes.stopped), abortGraceMs).unref();
  };
  process.on('SIGTERM', () => stop('The job was stopped.'));
  // Ctrl+C reaches the whole group; the engine decides what it means for its jobs.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => stop('The engine is gone.'));
  const watchdog = new Worker(new URL('./watchdog.ts', import.meta.url), {
    workerData: { enginePid: process.ppid, graceMs: abortGraceMs },
  });
  watchdog.unref();
}

/** The backend that the first attempt began on; undefined before there was one. */
function firstBackend(history: EventHistory): string | undefined {
  const first = history.events.find((event) => event.type === 'started');
  const backend = first && 'provenance' in first ? first.provenance['backend'] : undefined;
  return typeof backend === 'string' ? backend : undefined;
}

function lastResumeStep(history: EventHistory): number | null {
  const last = history.events.findLast((event) => event.type === 'resumePoint');
  return last && 'step' in last ? last.step : null;
}

/**
 * Numbers of two backends must not end up in one curve: what is fastest here, or chosen for new jobs, may have changed.
 * @param before the backend of the first attempt
 * @throws BACKEND_CHANGED it cannot be used any more
 */
async function openComputeOnce(threads: number, before: string | undefined): Promise<Compute> {
  const { openCompute } = await import('../compute/compute.ts');
  const backend = backends.find((name) => name === before);
  if (backend === undefined) return openCompute({ threads });
  process.env['ROTASCOPE_BACKEND'] = backend;
  try {
    return await openCompute({ threads });
  } catch (cause) {
    const { message, hint } = toErrorShape(cause);
    const text = `This run began on ${backend}, which cannot be used now. ${message}`;
    throw new AppError('BACKEND_CHANGED', text, { hint: `${hint ?? ''} Or start the study anew.`.trim(), cause });
  }
}

function memoryInUse(compute: Compute | undefined): { gpuMemoryBytes?: number } {
  const memory = compute?.gpuMemory() ?? null;
  return memory === null ? {} : { gpuMemoryBytes: memory.allocatedBytes };
}

async function runAttempt(
  folder: string,
  file: JobRequestFile,
  entry: KindEntry,
  history: EventHistory,
  emit: (body: WorkerEventBody) => void,
  signal: AbortSignal,
): Promise<unknown> {
  let compute: Promise<Compute> | undefined;
  let opened: Compute | undefined;
  const openOnce = async (): Promise<Compute> =>
    (opened = await (compute ??= openComputeOnce(file.threads, firstBackend(history))));
  const provenance = {
    ...file.versions,
    attempt: file.attempt,
    ...(entry.computes ? (await openOnce()).provenance : {}),
  };
  emit({ type: 'started', provenance });
  const { kind } = await entry.load();
  signal.throwIfAborted();
  const data = await kind({
    request: file.request,
    folder,
    attempt: file.attempt,
    resumeStep: lastResumeStep(history),
    signal,
    emit: (body) => emit(body.type === 'progress' ? { ...body, ...memoryInUse(opened) } : body),
    compute: openOnce,
  });
  signal.throwIfAborted();
  return data;
}

async function main(folder: string): Promise<number> {
  const abort = new AbortController();
  stopWhenAsked(abort);
  // Started by an engine that is gone already: another one may run this job by now.
  if (!process.connected) return exitCodes.stopped;
  writeFileSync(join(folder, 'worker.json'), JSON.stringify({ pid: process.pid }));
  const file = JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8')) as JobRequestFile;
  const history = readHistory(join(folder, eventsFileName));
  const writer = new EventWriter(folder, history, file.lastSeq, makeNudge());
  const emit = (body: WorkerEventBody): void => {
    writer.append(body);
    if (body.type === 'log') console.log(`${new Date().toISOString()} ${body.level} ${body.text}`);
  };
  try {
    const entry = (await kindTable())[file.kind];
    const data = await runAttempt(folder, file, entry, history, emit, abort.signal);
    emit({ type: 'succeeded', data });
    return exitCodes.succeeded;
  } catch (error) {
    if (abort.signal.aborted) return exitCodes.stopped;
    console.error(error);
    // When even this cannot be written (a full disk), the log says why.
    emit({ type: 'failed', error: withSmallerSetting(toErrorShape(error), file.request) });
    return exitCodes.failed;
  } finally {
    writer.close();
  }
}

const folder = process.argv[2];
if (!folder) throw new TypeError('Usage: worker.ts <job folder>');
// TensorFlow's threads may keep the process alive.
process.exit(await main(folder));
