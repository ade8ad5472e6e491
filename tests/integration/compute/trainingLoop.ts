/**
 * A small training loop that uses what the real ones use: rows of a table by id, products, softmax, a loss with a mask,
 * gradients, AdamW with its step-dependent numbers as inputs. The same on every backend; run as a script it prints its
 * result, for comparing backends, which need a process each.
 */
import { fileURLToPath } from 'node:url';
import { type Compute, openCompute } from '../../../main/compute/compute.ts';
import { gatherRows } from '../../../main/compute/gatherRows.ts';
import type { HostArray, Tensor, Variable } from '../../../main/compute/session.ts';

const shape = { vocab: 11, hidden: 16, rows: 24 };
const beta1 = 0.9;
const beta2 = 0.95;

export interface LoopResult {
  losses: number[];
  weights: Record<string, number[]>;
}

/** A linear congruence: the values only have to be the same everywhere. */
export function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export async function trainingLoop(compute: Compute, steps: number, eager = false): Promise<LoopResult> {
  const { tf } = compute;
  const { vocab, hidden, rows } = shape;
  const session = compute.openSession({ eager });
  const weights: Record<string, Variable> = {
    table: session.variable('table', [vocab, hidden], noise(vocab * hidden, 1)),
    inner: session.variable('inner', [hidden, hidden], noise(hidden * hidden, 2)),
    outer: session.variable('outer', [vocab, hidden], noise(vocab * hidden, 3)),
  };
  const moments = Object.entries(weights).map(([name, { shape, size }]) => ({
    first: session.variable(`${name}.first`, shape, new Float32Array(size), { trainable: false }),
    second: session.variable(`${name}.second`, shape, new Float32Array(size), { trainable: false }),
  }));
  const scalar = { shape: [], dtype: 'float32' as const };
  const inputs = {
    ids: { shape: [rows], dtype: 'int32' as const },
    targets: { shape: [rows], dtype: 'int32' as const },
    mask: { shape: [rows], dtype: 'float32' as const },
    learningRate: scalar,
    varianceScale: scalar,
  };
  const step = session.compile('train', inputs, ({ ids, targets, mask, learningRate, varianceScale }) => {
    const loss = (): Tensor => {
      const { table, inner, outer } = weights as Record<'table' | 'inner' | 'outer', Variable>;
      const embedded = gatherRows(tf, table, ids!);
      const mixed = tf.add(embedded, tf.softmax(tf.matMul(embedded, inner)));
      const logits = tf.matMul(tf.mul(mixed, tf.sigmoid(mixed)), outer, false, true);
      const nll = tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), tf.oneHot(targets as never, vocab).toFloat()), 1));
      return tf.div(tf.sum(tf.mul(nll, mask!)), tf.sum(mask!));
    };
    const { value, grads } = tf.variableGrads(loss as never, Object.values(weights));
    Object.values(weights).forEach((weight, index) => {
      const { first, second } = moments[index]!;
      const gradient = grads[weight.name]!;
      first.assign(tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)));
      second.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
      const deviation = tf.add(tf.mul(tf.sqrt(second), varianceScale!), 1e-8);
      weight.assign(tf.sub(tf.mul(weight, 0.999), tf.mul(tf.div(first, deviation), learningRate!)));
    });
    return { loss: value };
  });
  const losses: number[] = [];
  for (let index = 1; index <= steps; index++) losses.push((await step.run(batch(index)))['loss']!.data[0]!);
  const result: LoopResult = { losses, weights: {} };
  for (const name of session.names()) result.weights[name] = [...(await session.read(name))];
  session.dispose();
  return result;
}

function batch(step: number): Record<string, HostArray> {
  const draw = noise(2 * shape.rows, 100 + step);
  const ids = Int32Array.from(draw.subarray(0, shape.rows), (value) => Math.floor(((value + 1) / 2) * shape.vocab));
  return {
    ids,
    targets: ids.map((id) => (3 * id + 1) % shape.vocab),
    mask: Float32Array.from(draw.subarray(shape.rows), (value) => (value > -0.5 ? 1 : 0)),
    learningRate: Float32Array.of((0.02 + 0.01 * (step % 3)) / (1 - beta1 ** step)),
    varianceScale: Float32Array.of(1 / Math.sqrt(1 - beta2 ** step)),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [backend, steps] = process.argv.slice(2) as ['tensorflow' | 'wasm', string];
  console.log(JSON.stringify(await trainingLoop(await openCompute({ backend }), Number(steps))));
}
