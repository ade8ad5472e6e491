/** Backs the data folder up into one file: `<name>.partial` until it is whole. */
import { rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { syncFolder } from '../../ml/checkpoints/writeCheckpoint.ts';
import { backupHeadSchema } from '../dataFolder/backupFormat.ts';
import { dataFiles, isHeavy, sizeOf } from '../dataFolder/dataFiles.ts';
import { diskFull, megabytes } from '../dataFolder/diskSpace.ts';
import { writeBackup } from '../dataFolder/writeBackup.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

export const backupRequestSchema = z.object({
  dataFolder: z.string(),
  /** A consistent copy of the database, made by the engine. */
  snapshot: z.string(),
  target: z.string(),
  replace: z.boolean(),
  withHeavy: z.boolean(),
  head: backupHeadSchema,
});
export type BackupRequest = z.infer<typeof backupRequestSchema>;

export async function kind(context: JobContext): Promise<{ path: string; bytes: number; files: number }> {
  const { dataFolder, snapshot, target, replace, withHeavy, head } = backupRequestSchema.parse(context.request);
  const partial = `${target}.partial`;
  const { size: snapshotBytes } = await stat(snapshot).catch((cause: unknown) => Promise.reject(snapshotGone(cause)));
  const all = await dataFiles(dataFolder);
  const taken = all.filter(({ name }) => withHeavy || !isHeavy(name));
  const leftOut = all.filter(({ name }) => !withHeavy && isHeavy(name));
  const total = snapshotBytes + sizeOf(taken).bytes;
  const report = progressReporter(context, total, (done) => `${megabytes(done)} of ${megabytes(total)} MB`);
  const source = { dataFolder, snapshot, snapshotBytes, files: taken, leftOut, head };
  try {
    await requireSpace(target, sizeOf(taken.filter(({ name }) => isHeavy(name))).bytes);
    const manifest = await writeBackup(partial, { ...source, signal: context.signal, onProgress: report });
    if (!replace) await requireFree(target);
    await rename(partial, target);
    await syncFolder(dirname(target));
    report(total);
    return { path: target, bytes: (await stat(target)).size, files: manifest.files.length };
  } catch (error) {
    await rm(partial, { force: true });
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(target, error) : error;
  }
}

/** Weights stay as large as they are; how small the rest becomes is known when it is written. */
async function requireSpace(target: string, heavyBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  if (heavyBytes > bavail * bsize) throw diskFull(target, undefined, heavyBytes - bavail * bsize);
}

async function requireFree(target: string): Promise<void> {
  if ((await stat(target).catch(() => null)) === null) return;
  throw new AppError('CONFLICT', `${target} is there by now.`, { hint: 'Choose another name.' });
}

const snapshotGone = (cause: unknown): AppError =>
  new AppError('NOT_FOUND', 'The copy of the database that this backup was to hold is gone.', {
    hint: 'Start a new backup.',
    cause,
  });
