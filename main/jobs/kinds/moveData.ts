/**
 * Copies the data folder to another disk while the engine runs. What changes meanwhile, the database too, is copied again at
 * the next start, when nobody writes; the old place is cleared after that.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { databaseName } from '../dataFolder/dataFiles.ts';
import { copyTree } from '../dataFolder/copyTree.ts';
import { diskFull, megabytes } from '../dataFolder/diskSpace.ts';
import { movedEntries } from '../dataFolder/movedFolder.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

export const moveRequestSchema = z.object({ from: z.string(), to: z.string(), bytes: z.number() });
export type MoveRequest = z.infer<typeof moveRequestSchema>;

export async function kind(context: JobContext): Promise<{ bytes: number }> {
  const { from, to, bytes } = moveRequestSchema.parse(context.request);
  const report = progressReporter(context, bytes, (done) => `${megabytes(done)} of ${megabytes(bytes)} MB`);
  let done = 0;
  const onBytes = (count: number): void => report(Math.min((done += count), bytes));
  try {
    for (const name of await movedEntries(from))
      if (!name.startsWith(databaseName) && name !== 'engine.json')
        await copyTree(join(from, name), join(to, name), { signal: context.signal, onBytes });
  } catch (error) {
    context.signal.throwIfAborted();
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(to, error) : error;
  }
  return { bytes: done };
}
