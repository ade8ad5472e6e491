/**
 * Hidden states of the last prompt token at chosen checkpoints, one model in memory at a time; then their common bases and
 * the distances of their centroids. The states of a checkpoint are kept in the job's folder by the content of its weights,
 * so that a stopped job asks no checkpoint twice.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import writeFileAtomic from 'write-file-atomic';
import { AppError } from '../../contract/errors.ts';
import { hiddenStatesRequestSchema } from '../../contract/hiddenStates.ts';
import type { HiddenStatesResult, StateCheckpoint } from '../../contract/hiddenStates.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import { contentHash } from '../../ml/checkpoints/tensorHash.ts';
import { bySplit, openStateReader, type PromptStates, type StateReader } from '../../ml/evaluation/promptStates.ts';
import { openTensorSource } from '../../ml/spectral/tensorSource.ts';
import { stateGeometry } from '../../ml/statistics/stateGeometry.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

export async function kind(context: JobContext): Promise<HiddenStatesResult> {
  const { checkpoints, settings } = hiddenStatesRequestSchema.parse(context.request);
  const read = await openStateReader(await context.compute(), settings);
  const total = checkpoints.length + 1;
  const report = progressReporter(context, total, (done) => {
    const next = checkpoints[done];
    return next ? `Asking ${next.label}` : 'Bases and distances';
  });
  report(0);
  const states: PromptStates[] = [];
  const hashed: StateCheckpoint[] = [];
  for (const checkpoint of checkpoints) {
    const hash = await contentOf(checkpoint.folder);
    states.push(await keptOrRead(context, checkpoint, hash, settings.prompts, read));
    requireEqualSizes(states, checkpoints);
    hashed.push({ ...checkpoint, contentHash: hash });
    report(states.length);
  }
  const pause = async (): Promise<void> => {
    await setImmediate();
    context.signal.throwIfAborted();
  };
  const result = await stateGeometry(states, hashed, settings, pause);
  report(total);
  return result;
}

async function contentOf(folder: string): Promise<string> {
  const [checkpoint, source] = [await openCheckpoint(folder), await openTensorSource(folder)];
  try {
    const tensors = [];
    for (const name of checkpoint.tensors.keys()) tensors.push({ name, hash: await source.hash(name) });
    return contentHash(tensors);
  } finally {
    await Promise.all([checkpoint.close(), source.close()]);
  }
}

/** The file: both splits, float32, ID first. */
async function keptOrRead(
  { folder, signal }: JobContext,
  checkpoint: StateCheckpoint,
  hash: string,
  prompts: number,
  read: StateReader,
): Promise<PromptStates> {
  signal.throwIfAborted();
  const file = join(folder, 'states', `${hash}.f32`);
  if (existsSync(file)) {
    const { buffer, byteOffset, byteLength } = await readFile(file);
    const data = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
    return bySplit({ rows: 2 * prompts, columns: data.length / (2 * prompts), data });
  }
  const states = await read(checkpoint.folder, signal);
  await mkdir(join(folder, 'states'), { recursive: true });
  const both = [states.inDist, states.ood].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)); // prettier-ignore
  await writeFileAtomic(file, Buffer.concat(both));
  return states;
}

/** @throws SHAPE_MISMATCH states of models of different widths have no common basis */
function requireEqualSizes(states: readonly PromptStates[], checkpoints: readonly StateCheckpoint[]): void {
  const [first, last] = [states[0]!.inDist.columns, states.at(-1)!.inDist.columns];
  if (first === last) return;
  const [a, b] = [checkpoints[0]!.name, checkpoints[states.length - 1]!.name];
  throw new AppError('SHAPE_MISMATCH', `The hidden size is ${first} in "${a}" and ${last} in "${b}".`, {
    hint: 'Choose checkpoints of one architecture.',
  });
}
