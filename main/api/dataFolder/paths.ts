/** Paths that a user gives for backups and moves. */
import { isAbsolute, relative, sep } from 'node:path';
import { AppError } from '../../contract/errors.ts';

/** @throws INVALID_REQUEST */
export function requireWhole(path: string): void {
  if (isAbsolute(path)) return;
  throw new AppError('INVALID_REQUEST', `"${path}" is not a whole path.`, { hint: 'Give it from the root on.' });
}

/** Whether a path is the folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
