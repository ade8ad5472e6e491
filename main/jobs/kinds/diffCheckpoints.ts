/** How far every tensor of one checkpoint is from the one of the same name and shape in another. */
import { diffRequestSchema } from '../../contract/catalogue.ts';
import type { TensorChange } from '../../contract/catalogue.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import type { Checkpoint, CheckpointTensor } from '../../ml/checkpoints/openCheckpoint.ts';
import { noChange, tensorChange } from '../../ml/checkpoints/tensorChange.ts';
import type { JobContext } from '../jobContext.ts';
import { progressReporter } from './trainingProgress.ts';

/** Tensors of the same name and shape, in the order of A. */
function pairsOf(a: Checkpoint, b: Checkpoint): [CheckpointTensor, CheckpointTensor][] {
  return [...a.tensors.values()].flatMap((one): [CheckpointTensor, CheckpointTensor][] => {
    const other = b.tensors.get(one.name);
    return other?.shape.join() === one.shape.join() ? [[one, other]] : [];
  });
}

const bytesOf = ({ begin, end }: CheckpointTensor): number => end - begin;

async function compare(context: JobContext, a: Checkpoint, b: Checkpoint, equal: Set<string>): Promise<TensorChange[]> {
  const pairs = pairsOf(a, b);
  const read = pairs.filter(([{ name }]) => !equal.has(name));
  const total = read.reduce((sum, [one, other]) => sum + bytesOf(one) + bytesOf(other), 0);
  let done = 0;
  const report = progressReporter(context, total, () => 'Comparing tensors');
  const changes: TensorChange[] = [];
  for (const [one, other] of pairs) {
    if (equal.has(one.name)) {
      changes.push(noChange(one.name));
      continue;
    }
    const onBytes = (bytes: number): void => report((done += bytes));
    const sides = [
      { checkpoint: a, tensor: one },
      { checkpoint: b, tensor: other },
    ] as const;
    changes.push(await tensorChange(...sides, { signal: context.signal, onBytes }));
  }
  return changes;
}

export async function kind(context: JobContext): Promise<{ changes: TensorChange[] }> {
  const { a, b, equal } = diffRequestSchema.parse(context.request);
  const one = await openCheckpoint(a.folder);
  try {
    const other = await openCheckpoint(b.folder);
    try {
      return { changes: await compare(context, one, other, new Set(equal)) };
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}
