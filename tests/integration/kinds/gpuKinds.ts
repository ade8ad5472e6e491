/** A kind in the self-test's place that asks for more memory than any GPU has, once it has said how much it uses. */
import type { JobContext, KindTable } from '../../../main/jobs/jobContext.ts';

async function noMemory({ compute, emit }: JobContext): Promise<void> {
  const { tf, openSession } = await compute();
  const session = openSession();
  const x = session.variable('x', [40_000, 1], new Float32Array(40_000));
  await session.compile('small', {}, () => ({ sum: tf.sum(x) })).run({});
  emit({ type: 'progress', done: 1, total: 2, text: 'Small' });
  await session.compile('large', {}, () => ({ sum: tf.sum(tf.add(x, tf.reshape(x, [1, -1]))) })).run({});
}

export const kinds = {
  selfTest: { load: () => Promise.resolve({ kind: noMemory }), computes: true },
} as unknown as KindTable;
