/**
 * Reads checkpoints from their first byte to their last, once: hash, norm and odd values of every tensor. What is done of a
 * checkpoint is kept tensor by tensor in the job's folder; an interrupted job goes on with the next one.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashRequestSchema, tensorDigestSchema } from '../../contract/catalogue.ts';
import type { FileStamp, HashOutput, TensorDigest } from '../../contract/catalogue.ts';
import { AppError } from '../../contract/errors.ts';
import { fileStamps } from '../../ml/checkpoints/fileStamps.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import type { Checkpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import { digestTensor } from '../../ml/checkpoints/tensorDigest.ts';
import { contentHash } from '../../ml/checkpoints/tensorHash.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

/** The tensors of one checkpoint that are done: its files on the first line, then one tensor a line. */
class DoneTensors {
  readonly digests = new Map<string, TensorDigest>();
  readonly #file: string;

  constructor(file: string, files: readonly FileStamp[]) {
    this.#file = file;
    const [first, ...lines] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (first !== JSON.stringify(files)) {
      // Nothing yet, or of files that have changed since.
      writeFileSync(file, `${JSON.stringify(files)}\n`);
      return;
    }
    // Without the last piece: a line that a crash has torn, or nothing.
    const whole = lines.slice(0, -1);
    for (const line of whole) {
      const digest = tensorDigestSchema.parse(JSON.parse(line));
      this.digests.set(digest.name, digest);
    }
    writeFileSync(file, [first, ...whole, ''].join('\n'));
  }

  add(digest: TensorDigest): void {
    this.digests.set(digest.name, digest);
    appendFileSync(this.#file, `${JSON.stringify(digest)}\n`);
  }
}

async function hashOne(
  context: JobContext,
  id: string,
  checkpoint: Checkpoint,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const files = await fileStamps(checkpoint);
  const done = new DoneTensors(join(context.folder, `tensors-${id}.jsonl`), files);
  const tensors: TensorDigest[] = [];
  for (const tensor of checkpoint.tensors.values()) {
    let digest = done.digests.get(tensor.name);
    if (digest) onBytes(tensor.end - tensor.begin);
    else {
      digest = await digestTensor(checkpoint, tensor, { signal: context.signal, onBytes });
      done.add(digest);
    }
    tensors.push(digest);
  }
  const hash = contentHash(tensors);
  context.emit({ type: 'checkpointDigest', digest: { id, contentHash: hash, files, tensors } });
  return hash;
}

/** Sizes for the progress; null where the checkpoint cannot be opened, which its own turn then says. */
async function measure(checkpoints: { id: string; folder: string }[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const { id, folder } of checkpoints) {
    const checkpoint = await openCheckpoint(folder).catch(() => null);
    sizes.set(id, checkpoint?.bytes ?? 0);
    await checkpoint?.close();
  }
  return sizes;
}

export async function kind(context: JobContext): Promise<HashOutput> {
  const { checkpoints } = hashRequestSchema.parse(context.request);
  const sizes = await measure(checkpoints);
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  let done = 0;
  let name = '';
  const report = progressReporter(context, total, () => `Hashing ${name}`);
  const output: HashOutput = { checkpoints: [], failed: [] };
  for (const one of checkpoints) {
    ({ name } = one);
    const before = done;
    try {
      const checkpoint = await openCheckpoint(one.folder);
      try {
        const onBytes = (bytes: number): void => report((done += bytes));
        const hash = await hashOne(context, one.id, checkpoint, onBytes);
        output.checkpoints.push({ id: one.id, name, contentHash: hash, expected: one.expected });
      } finally {
        await checkpoint.close();
      }
    } catch (error) {
      context.signal.throwIfAborted();
      // One that is damaged or gone does not keep the others from being hashed.
      if (!(error instanceof AppError)) throw error;
      output.failed.push({ id: one.id, name, text: error.message });
      context.emit({ type: 'log', level: 'warn', text: `${name}: ${error.message}` });
    }
    done = before + sizes.get(one.id)!;
  }
  if (output.checkpoints.length === 0 && output.failed.length > 0)
    throw new AppError('CHECKPOINT_INVALID', output.failed[0]!.text, { hint: 'Verify the checkpoint on its page.' });
  report(total);
  return output;
}
