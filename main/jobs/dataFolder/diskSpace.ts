/** Words about space on a disk. */
import { AppError } from '../../contract/errors.ts';

export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

/** @param missingBytes how much more is needed, when it is known */
export const diskFull = (path: string, cause?: unknown, missingBytes?: number): AppError => {
  const by = missingBytes === undefined ? '' : ` ${megabytes(missingBytes)} MB are missing.`;
  return new AppError('DISK_FULL', `No space is left for ${path}.${by}`, {
    hint: 'Free some disk space, or choose another disk.',
    cause,
  });
};
