/** Copies a checkpoint into the data folder; its row points at the copy once this has succeeded. */
import { copyRequestSchema } from '../../contract/catalogue.ts';
import type { CopyOutput } from '../../contract/catalogue.ts';
import { copyCheckpoint } from '../../ml/checkpoints/copyCheckpoint.ts';
import { fileStamps } from '../../ml/checkpoints/fileStamps.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

export async function kind(context: JobContext): Promise<CopyOutput> {
  const { id, name, source, target, copiesFolder } = copyRequestSchema.parse(context.request);
  const checkpoint = await openCheckpoint(source);
  let copied;
  try {
    let report: ((done: number) => void) | null = null;
    copied = await copyCheckpoint(checkpoint, {
      target,
      copiesFolder,
      signal: context.signal,
      onProgress: (done, total) => {
        report ??= progressReporter(context, total, () => `Copying ${name}`);
        report(done);
      },
    });
  } finally {
    await checkpoint.close();
  }
  const copy = await openCheckpoint(target);
  try {
    return { id, folder: copy.place.location, files: await fileStamps(copy), ...copied };
  } finally {
    await copy.close();
  }
}
