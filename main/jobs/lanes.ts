/** Which waiting jobs start: jobs that compute by their slots, jobs that only read and write files beside them, one at a time. */
import { z } from 'zod';
import type { Job, JobKind } from '../contract/api.ts';
import { isTextTask, taskSettingsSchema } from '../contract/settings.ts';

type Lane = 'compute' | 'files';

const fileKinds: readonly JobKind[] = [
  'hashCheckpoints',
  'copyCheckpoint',
  'diffCheckpoints',
  'backup',
  'restore',
  'moveData',
];

/** Side by side: two readers on one disk are slower than one after the other. */
const fileSlots = 1;

const laneOf = (kind: JobKind): Lane => (fileKinds.includes(kind) ? 'files' : 'compute');

const named = z.object({ task: taskSettingsSchema.pick({ name: true }) });
const taskRequest = z.union([named, z.object({ settings: named }).transform(({ settings }) => settings)]);

/** Models of a task in text are large: one at a time, on all cores. */
export function takesMachine({ request }: Pick<Job, 'request'>): boolean {
  const { data } = taskRequest.safeParse(request);
  return data !== undefined && isTextTask(data.task.name);
}

/**
 * @param queued in the order of the queue
 * @param slots jobs that compute, side by side
 * @returns those that start now
 */
export function nextJobs(queued: readonly Job[], running: readonly Job[], slots: number): Job[] {
  const under: Record<Lane, number> = { compute: 0, files: 0 };
  for (const { kind } of running) under[laneOf(kind)] += 1;
  let isWaiting = running.some(takesMachine);
  return queued.filter((job) => {
    const lane = laneOf(job.kind);
    // What comes after a job that waits for the whole machine waits too, or it would wait for ever.
    if (lane === 'compute') isWaiting ||= under.compute >= (takesMachine(job) ? 1 : slots);
    if (lane === 'compute' ? isWaiting : under.files >= fileSlots) return false;
    under[lane] += 1;
    if (lane === 'compute') isWaiting = takesMachine(job);
    return true;
  });
}
