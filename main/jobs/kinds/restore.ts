/**
 * Unpacks a backup beside the data, in the same folder and so on the same disk. `restore.json`, written last, says that
 * it is whole; the data are replaced at the next start of the engine.
 */
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { syncFolder } from '../../ml/checkpoints/writeCheckpoint.ts';
import { diskFull, megabytes } from '../dataFolder/diskSpace.ts';
import { openBackup, unpackBackup } from '../dataFolder/readBackup.ts';
import { restoreFileName, type RestoreFile } from '../dataFolder/restoreFile.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

export const restoreRequestSchema = z.object({
  path: z.string(),
  /** Where to unpack; what is there gives way. */
  incoming: z.string(),
  /** Migrations that this program has. */
  knownSchema: z.array(z.string()),
});
export type RestoreRequest = z.infer<typeof restoreRequestSchema>;

export async function kind(context: JobContext): Promise<{ files: number }> {
  const { path, incoming, knownSchema } = restoreRequestSchema.parse(context.request);
  const partial = `${incoming}.partial`;
  const backup = await openBackup(path, knownSchema);
  const { contents, manifest } = backup;
  const total = contents.unpacked.bytes;
  const report = progressReporter(context, total, (done) => `${megabytes(done)} of ${megabytes(total)} MB`);
  try {
    await rm(incoming, { recursive: true, force: true });
    await rm(partial, { recursive: true, force: true });
    const { bavail, bsize } = await statfs(dirname(incoming));
    if (total > bavail * bsize) throw diskFull(dirname(incoming), undefined, total - bavail * bsize);
    await mkdir(partial, { mode: 0o700 });
    let done = 0;
    await unpackBackup(backup, partial, context.signal, (count) => report((done += count)));
    const file: RestoreFile = { contents, leftOut: manifest.leftOut };
    await writeFileAtomic(join(partial, restoreFileName), JSON.stringify(file));
    await rename(partial, incoming);
    await syncFolder(dirname(incoming));
    report(total);
    return { files: manifest.files.length };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(dirname(incoming), error) : error;
  } finally {
    backup.close();
  }
}
