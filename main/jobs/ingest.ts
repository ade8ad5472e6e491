/** Takes what a worker has appended into the database: each event once, its position in the same transaction. */
import { join } from 'node:path';
import type { Job } from '../contract/api.ts';
import type { WorkerEvent } from '../contract/events.ts';
import type { Store } from '../store/store.ts';
import { readNewEvents } from './eventReader.ts';
import { eventsFileName } from './eventWriter.ts';

export interface Ingested {
  events: WorkerEvent[];
  /** Whole lines that could not be understood: a damaged disk, or a worker of another version. */
  unreadable: number;
}

function applyStep(store: Store, job: Job, attemptSeq: number, event: WorkerEvent, step: number): void {
  // The first thing that a resumed attempt says of a step makes what former attempts said of later steps void.
  if (attemptSeq > 1 && event.seq >= attemptSeq) store.results.discardAfter(job.id, step, attemptSeq);
}

function apply(store: Store, job: Job, attemptSeq: number, revision: number, event: WorkerEvent): void {
  const { seq } = event;
  switch (event.type) {
    case 'started':
      if (!job.provenance) store.jobs.setProvenance(job.id, event.provenance);
      return;
    case 'progress': {
      const { done, total, text, remainingMs = null, gpuMemoryBytes } = event;
      const memory = gpuMemoryBytes === undefined ? {} : { gpuMemoryBytes };
      store.jobs.setProgress(job.id, { done, total, text, remainingMs, ...memory });
      return;
    }
    case 'metrics':
      applyStep(store, job, attemptSeq, event, event.step);
      store.results.putMetrics(job.id, seq, revision, event.step, event.values);
      return;
    case 'evaluation':
      applyStep(store, job, attemptSeq, event, event.step);
      store.results.putEvaluation(job.id, seq, event.step, event.evaluation, event.folder ?? null);
      return;
    case 'resumePoint':
      applyStep(store, job, attemptSeq, event, event.step);
      store.jobs.resetAutomaticAttempts(job.id);
      store.jobs.setResumePoint(job.id, { step: event.step, timeMs: event.timeMs });
      return;
    case 'comparison':
      store.results.putComparison(job.id, seq, event.comparison);
      return;
    case 'ablation':
      store.results.putAblation(job.id, seq, event.point);
      return;
    case 'matrix':
      store.analyses.putMatrix(job.id, seq, event);
      return;
    case 'sweepPoint':
      store.analyses.putPoint(job.id, seq, event.point);
      return;
    case 'checkpointDigest':
      store.checkpoints.putDigest(event.digest);
      return;
    case 'succeeded':
      store.jobs.setOutput(job.id, event.data);
      return;
    case 'artifact':
    case 'alert':
    case 'log':
    case 'failed':
  }
}

/**
 * Reads `events.jsonl` of a job from where the database is and stores what is new; also after a crash of either side.
 * @returns the events that were new, oldest first
 */
export function ingest(store: Store, jobsFolder: string, jobId: string): Ingested {
  const file = join(jobsFolder, jobId, eventsFileName);
  const taken: WorkerEvent[] = [];
  let unreadable = 0;
  for (let more = true; more;) {
    const position = store.jobs.position(jobId);
    const read = readNewEvents(file, position.ingestedBytes);
    more = read.more;
    unreadable += read.unreadable;
    if (read.nextByte === position.ingestedBytes) break;
    store.transaction(() => {
      const job = store.jobs.get(jobId);
      if (!job) return;
      const revision = job.studyId ? store.studies.bumpRevision(job.studyId) : 0;
      let { lastSeq } = position;
      for (const event of read.events) {
        if (event.seq <= lastSeq || !store.results.insertEvent(jobId, event)) continue;
        lastSeq = event.seq;
        apply(store, job, position.attemptSeq, revision, event);
        taken.push(event);
      }
      store.jobs.setPosition(jobId, { lastSeq, ingestedBytes: read.nextByte });
    });
  }
  return { events: taken, unreadable };
}
