/** Which jobs compute and which only read and write files: the latter wait for the disk and take no core from a study. */
import type { JobKind } from '../contract/api.ts';

export type Lane = 'compute' | 'files';

const fileKinds: readonly JobKind[] = ['hashCheckpoints', 'copyCheckpoint', 'diffCheckpoints'];

/** Side by side: two readers on one disk are slower than one after the other. */
export const fileSlots = 1;

export const laneOf = (kind: JobKind): Lane => (fileKinds.includes(kind) ? 'files' : 'compute');
