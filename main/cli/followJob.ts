/** What the commands share that start one job: import of checkpoints, progress, events, pause with Ctrl+C. */
import { SingleBar } from 'cli-progress';
import type { EngineClient } from '../api/engineClient.ts';
import type { Job } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { attachEngine, enginePath, pathHint } from './attach.ts';
import type { Attached } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { printFailure } from './failure.ts';
import { HoldUp } from './holdUp.ts';
import { pauseOnSignals } from './pauseOnSignals.ts';
import { formatDuration } from './studyOutput.ts';
import { Wake } from './wake.ts';

const eventsPerCall = 1000;

/** Ids of the checkpoints of one path, by step; a folder of a run holds several. @throws the reason why it is not one */
export async function importPath(client: EngineClient, path: string): Promise<string[]> {
  const verdicts = await client.call('checkpoints.import', { paths: [enginePath(path)] });
  const rejected = verdicts.find(({ verdict }) => verdict === 'rejected');
  if (rejected || verdicts.length === 0)
    throw new AppError('CHECKPOINT_INVALID', `${rejected?.path ?? path}: ${rejected?.text ?? 'no checkpoint found.'}`, {
      hint: pathHint(),
    });
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

interface JobProgress {
  job(job: Job): void;
  /** A line beside the bar. */
  note(text: string): void;
  end(): void;
}

/** A bar on a terminal, nothing elsewhere. @param unit what is counted, e.g. "matrices" */
function jobProgress(shown: boolean, unit: string): JobProgress {
  if (!shown || !process.stderr.isTTY) return { job: () => undefined, note: console.error, end: () => undefined };
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
    // The bar is drawn again below the line.
    note: (text) => console.error(started ? `\r\u001b[K${text}` : text),
    end: () => {
      if (started) bar.stop();
    },
  };
}

/** Until it has ended, over pauses too; with `json` every event is printed. */
async function followJob(
  { client, address }: Attached,
  id: string,
  wake: Wake,
  progress: JobProgress,
  json: boolean,
): Promise<Job> {
  const holdUp = new HoldUp(client, address);
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
    if (!['queued', 'running', 'paused'].includes(job.state)) return job;
    const heldUp = await holdUp.look([job.state]);
    if (heldUp !== '') progress.note(heldUp);
    await wake.wait();
  }
}

function exitCodeOf({ state }: Job): number {
  if (state === 'succeeded') return exitCodes.ok;
  return state === 'failed' ? exitCodes.failed : exitCodes.stopped;
}

export interface CommandOptions {
  /** The data folder. */
  data: string;
  json: boolean;
}
export interface StartedJob {
  id: string;
  /** Called once it has succeeded. */
  print(): Promise<void>;
}

/** @throws INVALID_REQUEST JSON lines and a table of CSV both want the output */
export function checkOneOutput({ json, csv }: { json: boolean; csv?: string | undefined }): void {
  if (json && csv === '-')
    throw new AppError('INVALID_REQUEST', '--json and --csv - both want the output.', {
      hint: 'Name a file for --csv.',
    });
}

/**
 * The whole of a command that starts a job: follows it to its end, prints what came of it, or why it failed.
 * @param unit what the progress counts, e.g. "matrices"
 * @param start starts the job; null when there is nothing to start
 * @returns the exit code
 */
export async function runJob(
  { data, json }: CommandOptions,
  unit: string,
  start: (client: EngineClient) => Promise<StartedJob | null>,
): Promise<number> {
  const wake = new Wake();
  const attached = await attachEngine(data, wake.push);
  let open: { close(): Promise<void> } = attached;
  try {
    const started = await start(attached.client);
    if (started === null) return exitCodes.ok;
    const progress = jobProgress(!json, unit);
    const stop = (): Promise<unknown> => attached.client.call('jobs.cancel', { id: started.id });
    open = pauseOnSignals(attached, stop, () => progress.end());
    const job = await followJob(attached, started.id, wake, progress, json);
    progress.end();
    if (job.error) {
      const { code, message, hint = '' } = job.error;
      printFailure(new AppError(code as ErrorCode, message, { hint }), json);
    } else if (job.state === 'succeeded') await started.print();
    return exitCodeOf(job);
  } finally {
    await open.close();
  }
}
