/** What the commands share that start one job from checkpoints by path: import, progress, events, pause with Ctrl+C. */
import { resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { EngineClient } from '../api/engineClient.ts';
import type { Job } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { Attached } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { formatDuration } from './studyOutput.ts';
import type { Wake } from './wake.ts';

const eventsPerCall = 1000;

/** Ids of the checkpoints of one path, by step; a folder of a run holds several. @throws the reason why it is not one */
export async function importPath(client: EngineClient, path: string): Promise<string[]> {
  const verdicts = await client.call('checkpoints.import', { paths: [resolve(path)] });
  const rejected = verdicts.find(({ verdict }) => verdict === 'rejected');
  if (rejected || verdicts.length === 0)
    throw new AppError('CHECKPOINT_INVALID', `${rejected?.path ?? path}: ${rejected?.text ?? 'no checkpoint found.'}`);
  const ids = verdicts.flatMap(({ checkpointId }) => (checkpointId === null ? [] : [checkpointId]));
  const steps = new Map<string, number>();
  for (const { id, step } of await client.call('checkpoints.list', {})) if (step !== null) steps.set(id, step);
  return ids.sort((a, b) => (steps.get(a) ?? 0) - (steps.get(b) ?? 0));
}

export async function importOne(client: EngineClient, path: string): Promise<string> {
  const ids = await importPath(client, path);
  if (ids.length === 1) return ids[0]!;
  throw new AppError('INVALID_REQUEST', `${path} holds ${ids.length} checkpoints where one is needed.`, {
    hint: 'Name the folder of one of them.',
  });
}

export interface JobProgress {
  job(job: Job): void;
  end(): void;
}

/** A bar on a terminal, nothing elsewhere. @param unit what is counted, e.g. "matrices" */
export function jobProgress(shown: boolean, unit: string): JobProgress {
  if (!shown || !process.stderr.isTTY) return { job: () => undefined, end: () => undefined };
  const bar = new SingleBar({
    format: `{bar} {value} of {total} ${unit}  {left}  {text}`,
    stream: process.stderr,
    hideCursor: true,
  });
  let started = false;
  return {
    job({ progress, state }) {
      if (!progress || state !== 'running') return;
      const { done, total, text, remainingMs } = progress;
      const shownText = { left: remainingMs ? `${formatDuration(remainingMs)} left` : '', text };
      if (!started) bar.start(total, done, shownText);
      started = true;
      bar.setTotal(total);
      bar.update(done, shownText);
    },
    end: () => {
      if (started) bar.stop();
    },
  };
}

/** Until it has settled; with `json` every event is printed. */
export async function followJob(
  client: EngineClient,
  id: string,
  wake: Wake,
  progress: JobProgress,
  json: boolean,
): Promise<Job> {
  let seen = 0;
  for (;;) {
    const job = await client.call('jobs.get', { id });
    progress.job(job);
    for (let more = json; more;) {
      const events = await client.call('jobs.events', { id, afterSeq: seen, limit: eventsPerCall });
      for (const event of events) console.log(JSON.stringify({ jobId: id, ...event }));
      seen = events.at(-1)?.seq ?? seen;
      more = events.length === eventsPerCall;
    }
    if (job.state !== 'queued' && job.state !== 'running') return job;
    await wake.wait();
  }
}

/**
 * Ctrl+C and the like: the job stops so that the same command goes on with it.
 * @returns `close()`: closes the connection, unless a pause does and ends the process by itself
 */
export function pauseOnSignals(attached: Attached, id: string, progress: JobProgress): { close(): Promise<void> } {
  let pausing: Promise<never> | null = null;
  const pause = async (): Promise<never> => {
    progress.end();
    console.error('Pausing. The same command goes on from here.');
    // An engine of our own interrupts its jobs when it stops; another one is asked to stop this one.
    if (!attached.owned) await attached.client.call('jobs.cancel', { id });
    await attached.close();
    process.exit(exitCodes.interrupted);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      pausing ??= pause().catch(() => process.exit(exitCodes.interrupted));
    });
  return { close: () => pausing ?? attached.close() };
}

export function exitCodeOf({ state }: Job): number {
  if (state === 'succeeded') return exitCodes.ok;
  return state === 'failed' ? exitCodes.failed : exitCodes.stopped;
}
