/** Calls about jobs. */
import { join } from 'node:path';
import type { Job } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { readLogTail } from '../jobs/jobLog.ts';
import type { EngineContext } from './context.ts';
import { folderSize } from './storage.ts';
import type { HandlerGroup } from './handlers.ts';

/** @throws NOT_FOUND */
export function requireJob({ store }: EngineContext, id: string): Job {
  const job = store.jobs.get(id);
  if (!job) throw new AppError('NOT_FOUND', 'This job is not in the list any more.', { hint: 'Reload the page.' });
  return job;
}

export function jobHandlers(context: EngineContext): HandlerGroup {
  const { store, supervisor, studies, events } = context;
  const get = (id: string): Job => requireJob(context, id);
  return {
    'jobs.list': ({ limit }) => store.jobs.list(limit),
    'jobs.get': ({ id }) => get(id),
    'jobs.cancel': ({ id }) => supervisor.cancel(id),
    'jobs.pause': ({ id }) => supervisor.pause(id),
    'jobs.resume': ({ id }) => studies.resumeJob(id),
    'jobs.queue': () => ({ paused: store.jobs.queuePaused() }),
    'jobs.pauseQueue': ({ paused }) => {
      supervisor.pauseQueue(paused);
      events.publish({ type: 'queue', paused });
      return { paused };
    },
    'jobs.move': ({ id, beforeId }) => supervisor.move(id, beforeId),
    'jobs.usage': ({ afterMs }) => supervisor.usage.since(afterMs),
    'jobs.events': ({ id, afterSeq, limit }) => store.results.events(get(id).id, afterSeq, limit),
    'jobs.folder': async ({ id }) => {
      const path = supervisor.folder(get(id).id);
      return { path, bytes: (await folderSize(path)).bytes };
    },
    'jobs.log': ({ id }) => readLogTail(join(supervisor.folder(get(id).id), 'worker.log')),
    'app.selfTest': () => {
      const order = { kind: 'selfTest', title: 'Self-test', studyId: null, stageId: null, seed: null } as const;
      return { jobId: supervisor.enqueue({ ...order, request: {} }).id };
    },
  };
}
