/** `--base FOLDER` of a study: the checkpoint is imported where it is not yet, and hashed, so that the study can name it. */
import { AppError } from '../contract/errors.ts';
import { type Attached, enginePath, pathHint } from './attach.ts';
import { HoldUp } from './holdUp.ts';

const lookEveryMs = 300;
const shownJobs = 2000;

/**
 * @returns its folder, as the catalogue has it
 * @throws CHECKPOINT_INVALID it is refused; CONFLICT it could not be hashed
 */
export async function importBase({ client, address }: Attached, path: string): Promise<string> {
  const [verdict] = await client.call('checkpoints.import', { paths: [enginePath(path)] });
  if (!verdict?.checkpointId)
    throw new AppError('CHECKPOINT_INVALID', `${path}: ${verdict?.text ?? 'not read.'}`, {
      hint: `Give the folder of a Hugging Face checkpoint. ${pathHint()}`.trim(),
    });
  const holdUp = new HoldUp(client, address);
  for (;;) {
    const { folder, contentHash, name } = await client.call('checkpoints.get', { id: verdict.checkpointId });
    if (contentHash !== null) return folder;
    const jobs = await client.call('jobs.list', { limit: shownJobs });
    const hashing = jobs.filter(({ kind }) => kind === 'hashCheckpoints');
    if (!hashing.some(({ state }) => state === 'queued' || state === 'running')) {
      const last = hashing[0]?.error;
      if (last)
        throw new AppError('CONFLICT', `"${name}" could not be hashed: ${last.message}`, { hint: last.hint ?? '' });
      await client.call('checkpoints.hash', { ids: [verdict.checkpointId] });
    }
    const heldUp = await holdUp.look(hashing.map(({ state }) => state));
    if (heldUp !== '') console.error(heldUp);
    await new Promise((wake) => setTimeout(wake, lookEveryMs));
  }
}
