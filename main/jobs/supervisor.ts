/**
 * The job queue and the workers. Every change of a job's state goes through the store's `transition`, which changes
 * it only from the states that it names, so that a job settles exactly once whoever comes first:
 *
 *   queued -> running -> succeeded | failed | cancelled | interrupted | paused
 *      ^ \-> cancelled | interrupted | paused                          |
 *      \------------------- next attempt (resume) --------------------/
 *
 * `paused` is what the user asked for: unlike an interrupted job it waits for them, whatever happens to the engine.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { Job, JobState } from '../contract/api.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import type { AppErrorShape } from '../contract/errors.ts';
import type { WorkerEvent } from '../contract/events.ts';
import type { Logger } from '../logging/log.ts';
import type { NewJob } from '../store/jobStore.ts';
import type { Store } from '../store/store.ts';
import { ingest } from './ingest.ts';
import type { Ingested } from './ingest.ts';
import type { JobRequestFile } from './jobContext.ts';
import { lastLogLines } from './jobLog.ts';
import { nextJobs, takesMachine } from './lanes.ts';
import { physicalCores } from './physicalCores.ts';
import { UsageMonitor } from './usageMonitor.ts';
import { crashError } from './workerCrash.ts';
import { outliveOrphan, WorkerProcess } from './workerProcess.ts';
import type { WorkerEnd } from './workerProcess.ts';

/** Attempts that start by themselves after a crash, without a resume point in between. */
const maxAutomaticAttempts = 2;

/** A worker inside one long call cannot say that it has written; its file is looked at this often, ms. */
const pollIntervalMs = 1000;

export type JobOrder = Omit<NewJob, 'id' | 'createdAtMs'>;

export interface JobListener {
  /** State, progress or attempt has changed. */
  onJob(job: Job): void;
  /** New events are in the database. */
  onEvents(job: Job, events: WorkerEvent[]): void;
  /** Succeeded, failed, cancelled, paused, or interrupted and not tried again by itself. */
  onSettled(job: Job): void;
}

export interface SupervisorOptions {
  store: Store;
  jobsFolder: string;
  /** Jobs that compute, side by side; may change when it is known what computes. */
  slots(): number;
  versions: Record<string, string>;
  log: Logger;
}

interface RunningJob {
  worker: WorkerProcess;
  /** As it was when it started. */
  job: Job;
}

export class JobSupervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<string, RunningJob>();
  readonly #listeners: JobListener[] = [];
  /** What running jobs use of the machine. */
  readonly usage = new UsageMonitor();
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    mkdirSync(options.jobsFolder, { recursive: true });
  }

  listen(listener: JobListener): void {
    this.#listeners.push(listener);
  }

  folder(jobId: string): string {
    return join(this.#options.jobsFolder, jobId);
  }

  get slots(): number {
    return this.#options.slots();
  }

  enqueue(order: JobOrder): Job {
    const id = randomUUID();
    this.#options.store.jobs.insert({ ...order, id, createdAtMs: Date.now() });
    const job = this.#changed(id);
    setImmediate(() => this.#startNext());
    return job;
  }

  /** Puts a job into the list that has failed before it could begin. */
  recordFailure(order: JobOrder, error: unknown): Job {
    const id = randomUUID();
    const { jobs } = this.#options.store;
    jobs.insert({ ...order, id, createdAtMs: Date.now() });
    jobs.transition(id, ['queued'], 'failed', { error: toErrorShape(error) });
    return this.#changed(id);
  }

  /** Answers at once; a running job is settled when its worker has ended. @throws NOT_FOUND */
  cancel(id: string): Job {
    return this.#end(id, 'cancelled');
  }

  /** Like `cancel`; the job goes on from its last resume point when it is resumed, and never by itself. @throws NOT_FOUND */
  pause(id: string): Job {
    return this.#end(id, 'paused');
  }

  #end(id: string, state: 'cancelled' | 'paused'): Job {
    const job = this.#get(id);
    const running = this.#running.get(id);
    if (running) {
      // Kept, so that it holds even if the engine is gone before the worker has ended.
      this.#options.store.jobs.setStopping(id, state);
      running.worker.stop();
      return this.#changed(id);
    }
    if (job.state !== 'paused' || state === 'cancelled') this.#settle(id, state, null);
    return this.#get(id);
  }

  /**
   * Places a waiting job before another one, or at the end.
   * @throws NOT_FOUND; CONFLICT when one of the two does not wait
   */
  move(id: string, beforeId: string | null): Job {
    const { title } = this.#get(id);
    const { jobs } = this.#options.store;
    const places = new Map(jobs.withState('queued').map((job) => [job.id, job.position]));
    if (!jobs.move(id, beforeId))
      throw new AppError('CONFLICT', `"${title}" cannot be moved: it or the job after it does not wait any more.`, {
        hint: 'The list shows what waits now.',
      });
    for (const job of jobs.withState('queued')) if (job.position !== places.get(job.id)) this.#tell(job);
    return this.#get(id);
  }

  /** While it is paused nothing new starts; what runs goes on. */
  pauseQueue(paused: boolean): void {
    this.#options.store.jobs.setQueuePaused(paused);
    this.#startNext();
  }

  /**
   * Starts the next attempt of a job, from its last resume point, in the same folder.
   * @throws NOT_FOUND; CONFLICT when it has succeeded or is under way
   */
  resume(id: string): Job {
    const job = this.#get(id);
    const { store } = this.#options;
    if (!store.jobs.startAttempt(id, ['failed', 'cancelled', 'interrupted', 'paused'], false))
      throw new AppError('CONFLICT', `"${job.title}" is ${job.state} and cannot be resumed.`, {
        hint: job.state === 'succeeded' ? 'Start it anew instead.' : 'Wait until it has ended.',
      });
    setImmediate(() => this.#startNext());
    return this.#changed(id);
  }

  /**
   * After a start: jobs that a crash of the engine left running go on by themselves.
   * Jobs of an engine that was stopped in order are `interrupted` already and wait for the user.
   */
  async recover(): Promise<number> {
    const left = this.#options.store.jobs.withState('running');
    await Promise.all(
      left.map(async ({ id }) => {
        await outliveOrphan(this.folder(id));
        if (this.#stopping) return;
        this.#settleEnded(id, { code: null, signal: null, error: null }, 'The engine ended while it ran.');
      }),
    );
    this.#startNext();
    return left.length;
  }

  /** Ends all workers; their jobs, and those in the queue, are interrupted and can be resumed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ends = [...this.#running.values()].map((running) => {
      running.worker.stop();
      return running.worker.ended;
    });
    this.#interruptQueued();
    await Promise.all(ends); // Every job is settled by now: the handlers of `#start` came first.
    // A stage that has just succeeded may have put the next one into the queue.
    this.#interruptQueued();
  }

  #interruptQueued(): void {
    for (const { id } of this.#options.store.jobs.withState('queued')) this.#settle(id, 'interrupted', stoppedError());
  }

  #get(id: string): Job {
    const job = this.#options.store.jobs.get(id);
    if (!job) throw new AppError('NOT_FOUND', 'This job is not in the list any more.', { hint: 'Reload the page.' });
    return job;
  }

  #changed(id: string): Job {
    return this.#tell(this.#get(id));
  }

  #tell(job: Job): Job {
    for (const listener of this.#listeners) listener.onJob(job);
    return job;
  }

  #startNext(): void {
    if (this.#stopping || this.#options.store.jobs.queuePaused()) return;
    const { jobs } = this.#options.store;
    const running = [...this.#running.values()].map(({ job }) => job);
    for (const job of nextJobs(jobs.withState('queued'), running, this.slots)) this.#start(job);
  }

  #start(job: Job): void {
    const { store, log } = this.#options;
    if (!store.jobs.transition(job.id, ['queued'], 'running')) return;
    const folder = this.folder(job.id);
    mkdirSync(folder, { recursive: true });
    const file: JobRequestFile = {
      jobId: job.id,
      kind: job.kind,
      title: job.title,
      attempt: job.attempt,
      seed: job.seed,
      request: job.request,
      threads: takesMachine(job) ? physicalCores() : 1,
      lastSeq: job.lastSeq,
      versions: this.#options.versions,
    };
    writeFileAtomic.sync(join(folder, 'request.json'), `${JSON.stringify(file, null, 2)}\n`);
    const worker = new WorkerProcess(folder, {
      onNudge: () => this.#ingest(job.id),
      onUse: (use) => this.usage.report(job.id, use),
    });
    this.#running.set(job.id, { worker, job });
    this.usage.started(job.id);
    const poll = setInterval(() => this.#ingest(job.id), pollIntervalMs);
    log.info({ job: job.id, kind: job.kind, attempt: job.attempt, worker: worker.pid }, 'A job starts');
    void worker.ended.then((end) => {
      clearInterval(poll);
      this.#running.delete(job.id);
      this.usage.ended(job.id);
      this.#settleEnded(job.id, end, null);
      this.#startNext();
    });
    this.#changed(job.id);
  }

  #ingest(id: string): WorkerEvent[] {
    const { store, jobsFolder, log } = this.#options;
    let ingested: Ingested;
    try {
      ingested = ingest(store, jobsFolder, id);
    } catch (error) {
      // A full disk, most likely: nothing of it was taken, and it is tried again.
      log.error({ err: error, job: id }, 'Events could not be stored');
      return [];
    }
    const { events, unreadable } = ingested;
    if (unreadable > 0) log.warn({ job: id, unreadable }, 'Lines of events.jsonl could not be read');
    if (events.length > 0) {
      const job = this.#changed(id);
      this.usage.gpuMemory(id, job.progress?.gpuMemoryBytes ?? null);
      for (const listener of this.#listeners) listener.onEvents(job, events);
    }
    return events;
  }

  /** The worker has ended: what its events say counts, then what we asked of it, then how it ended. */
  #settleEnded(id: string, end: WorkerEnd, engineCrash: string | null): void {
    this.#ingest(id);
    const last = this.#lastWord(id);
    if (last?.type === 'succeeded') return this.#settle(id, 'succeeded', null);
    if (last?.type === 'failed') return this.#settle(id, 'failed', last.error as AppErrorShape);
    const { stopping } = this.#get(id);
    if (stopping !== null) return this.#settle(id, stopping, null);
    if (this.#stopping) return this.#settle(id, 'interrupted', stoppedError());
    const lines = lastLogLines(join(this.folder(id), 'worker.log'), 10);
    const error: AppErrorShape = engineCrash
      ? { code: 'INTERRUPTED', message: engineCrash, hint: 'Resume it: it goes on from its last resume point.' }
      : crashError(end, lines);
    this.#options.log.warn({ job: id, error }, 'A worker ended before its job');
    this.#interrupt(id, error, engineCrash !== null);
  }

  /** Tries again by itself where nobody may be there to do it: in a study, and after a crash of the engine. */
  #interrupt(id: string, error: AppErrorShape, engineCrash: boolean): void {
    const { jobs } = this.#options.store;
    const mayRetry =
      (engineCrash || this.#get(id).studyId !== null) && jobs.automaticAttempts(id) < maxAutomaticAttempts;
    if (mayRetry && jobs.transition(id, ['running'], 'interrupted', { error })) {
      this.#changed(id);
      jobs.startAttempt(id, ['interrupted'], true);
      this.#changed(id);
      return;
    }
    this.#settle(id, 'interrupted', error);
  }

  /** The event that ends the attempt under way, when the worker came to write it. */
  #lastWord(id: string): WorkerEvent | undefined {
    const { lastSeq, attemptSeq } = this.#options.store.jobs.position(id);
    if (lastSeq < Math.max(attemptSeq, 1)) return undefined;
    return this.#options.store.results.events(id, lastSeq - 1, 1)[0];
  }

  #settle(id: string, state: JobState, error: AppErrorShape | null): void {
    const from: JobState[] = state === 'cancelled' ? ['queued', 'running', 'paused'] : ['queued', 'running'];
    if (!this.#options.store.jobs.transition(id, from, state, { error })) return;
    const job = this.#changed(id);
    for (const listener of this.#listeners) listener.onSettled(job);
  }
}

function stoppedError(): AppErrorShape {
  return { code: 'INTERRUPTED', message: 'The engine was stopped.', hint: 'Resume it: nothing is lost.' };
}
