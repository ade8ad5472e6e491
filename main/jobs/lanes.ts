/** Which jobs compute and which only read and write files: the latter wait for the disk and take no core from a study. */
import { z } from 'zod';
import type { Job, JobKind } from '../contract/api.ts';
import { isTextTask, taskSettingsSchema } from '../contract/settings.ts';

export type Lane = 'compute' | 'files';

const fileKinds: readonly JobKind[] = [
  'hashCheckpoints',
  'copyCheckpoint',
  'diffCheckpoints',
  'backup',
  'restore',
  'moveData',
];

/** Side by side: two readers on one disk are slower than one after the other. */
export const fileSlots = 1;

export const laneOf = (kind: JobKind): Lane => (fileKinds.includes(kind) ? 'files' : 'compute');

const named = z.object({ task: taskSettingsSchema.pick({ name: true }) });
const taskRequest = z.union([named, z.object({ settings: named }).transform(({ settings }) => settings)]);

/** Models of a task in text are large: one at a time, on all cores. */
export function takesMachine({ request }: Pick<Job, 'request'>): boolean {
  const { data } = taskRequest.safeParse(request);
  return data !== undefined && isTextTask(data.task.name);
}
