/** Every migration, oldest first. A released one is never changed: add the next. */
import type { Migration } from 'kysely/migration';
import { studiesAndJobs } from './0001-studies-and-jobs.ts';
import { checkpointsAndState } from './0002-checkpoints-and-state.ts';
import { spectralLab } from './0003-spectral-lab.ts';
import { runs } from './0004-runs.ts';
import { engineSettings } from './0005-engine-settings.ts';
import { queue } from './0006-queue.ts';

export const migrations: Record<string, Migration> = {
  '0001-studies-and-jobs': studiesAndJobs,
  '0002-checkpoints-and-state': checkpointsAndState,
  '0003-spectral-lab': spectralLab,
  '0004-runs': runs,
  '0005-engine-settings': engineSettings,
  '0006-queue': queue,
};
