/** Every op family that models and losses here use, with its gradient: recorded completely, and the same bits in a graph. */
import { beforeAll, describe, expect, test } from 'vitest';
import { nativeStatus } from '../../../main/bootstrap/native.mjs';
import { type Compute, openCompute, type Tf } from '../../../main/compute/compute.ts';
import { runSelfTest } from '../../../main/compute/selfTest.ts';
import type { Tensor, Variable } from '../../../main/compute/session.ts';
import { expectGatherGradient } from './gatherGradient.ts';
import { noise } from './trainingLoop.ts';

const shape = [4, 6, 10];
const size = 240;

/** Each makes a float tensor from x [4, 6, 10] and ids [4] below 4. */
const families: Record<string, (tf: Tf, x: Tensor, ids: Tensor) => Tensor> = {
  'sums and products': (tf, x) => tf.add(tf.mul(x, x), tf.sub(tf.div(x, tf.add(tf.abs(x), 1)), tf.neg(x))),
  'powers and roots': (tf, x) => tf.add(tf.rsqrt(tf.add(tf.square(x), 1)), tf.sqrt(tf.add(tf.pow(x, 2), 0.5))),
  exponentials: (tf, x) => tf.add(tf.exp(x), tf.log(tf.add(tf.log1p(tf.abs(x)), 1))),
  activations: (tf, x) => tf.addN([tf.relu(x), tf.sigmoid(x), tf.tanh(x), tf.softplus(x), tf.elu(x)]),
  'softmax of rows': (tf, x) => tf.mul(tf.softmax(x), tf.logSoftmax(x)),
  reductions: (tf, x) => tf.addN([tf.sum(x, 1), tf.mean(x, 1), tf.max(x, 1), tf.min(x, 1)]),
  moments: (tf, x) => tf.add(tf.moments(x, -1, true).variance, tf.logSumExp(x, -1, true)),
  'products of matrices': (tf, x) => tf.matMul(tf.matMul(x, x, false, true), x),
  'products, first transposed': (tf, x) => tf.matMul(x, x, true, false),
  'products of rows': (tf, x) => tf.matMul(x.reshape([24, 10]), tf.transpose(x.reshape([24, 10]))),
  shapes: (tf, x) => tf.transpose(x.expandDims(1), [0, 2, 1, 3]).squeeze([2]).reshape([24, 10]).flatten(),
  'joining and cutting': (tf, x) =>
    tf.concat([...tf.split(x, 2, 2), ...tf.split(x, [1, 3, 2], 1).map((y) => y.slice([0, 0, 2], [4, 1, 5]))], 1),
  stacking: (tf, x) => tf.stack([...tf.unstack(x, 1), tf.zerosLike(tf.unstack(x, 1)[0]!)], 0),
  'padding and tiling': (tf, x) =>
    tf.add(
      tf
        .pad(x, [
          [0, 0],
          [1, 0],
          [0, 0],
        ])
        .slice([0, 1, 0]),
      tf.tile(x.slice([0, 0, 0], [4, 6, 1]), [1, 1, 10]),
    ),
  choosing: (tf, x) =>
    tf.where(
      tf.logicalAnd(
        tf.greater(tf.tensor(noise(size, 3), shape), -0.5),
        tf.logicalNot(tf.lessEqual(tf.tensor(noise(size, 4), shape), 0.2)),
      ),
      tf.mul(x, 2),
      tf.neg(x),
    ),
  limits: (tf, x) => tf.add(tf.clipByValue(x, -0.5, 0.5), tf.maximum(tf.minimum(x, 0.3), -0.3)),
  'one-hot rows': (tf, x, ids) => tf.mul(x.mean(1), tf.oneHot(ids as never, 10).toFloat()),
  'ids compared': (tf, x, ids) => tf.mul(x.sum([1, 2]), tf.notEqual(ids, tf.scalar(2, 'int32')).toFloat()),
  'running sums': (tf, x) => tf.cumsum(x, 2),
  'broadcast masks': (tf, x) =>
    tf.add(
      x,
      tf.linalg
        .bandPart(tf.ones([6, 10]), -1, 0)
        .sub(1)
        .mul(1e9),
    ),
};
/** Ops that no gradient passes through. */
const withoutGradient: Record<string, (tf: Tf, x: Tensor, ids: Tensor) => Tensor> = {
  'largest positions': (tf, x) => tf.argMax(x, -1).toFloat(),
  einsum: (tf, x) => tf.einsum('bij,bkj->bik', x, x),
  'strided slices and reversal': (tf, x) => tf.reverse(tf.stridedSlice(x, [0, 1, 0], [4, 6, 10], [1, 2, 3]), 1),
  'top values': (tf, x) => tf.topk(x, 3).values,
  'rows by id': (tf, x, ids) => tf.gather(x, ids, 1),
  rounding: (tf, x) => tf.floor(tf.mul(x, 10)).toInt().toFloat(),
  ranges: (tf, x) => tf.add(x, tf.range(0, 10)),
};

const { ready, reason } = nativeStatus().tensorflow;
if (!ready) console.warn(`Ops in compiled steps are not tested: ${reason}`);

describe.skipIf(!ready)('compiled ops', () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'tensorflow' });
  });

  const run = async (eager: boolean, family: (typeof families)[string], withGradient: boolean): Promise<number[][]> => {
    const { tf } = compute;
    const session = compute.openSession({ eager });
    const v: Variable = session.variable('v', shape, noise(size, 1));
    const inputs = { x: { shape, dtype: 'float32' }, ids: { shape: [4], dtype: 'int32' } } as const;
    const step = session.compile('family', inputs as never, ({ x, ids }): Record<string, Tensor> => {
      const result = (): Tensor => family(tf, tf.mul(v, x!), ids!);
      if (!withGradient) return { result: result() };
      const { grads } = tf.variableGrads((() => tf.sum(tf.sin(result()))) as never, [v]);
      return { result: result(), gradient: grads[v.name]! };
    });
    const out = await step.run({ x: noise(size, 2), ids: Int32Array.of(3, 0, 2, 1) });
    session.dispose();
    return Object.values(out).map(({ data }) => [...data]);
  };

  test.each([
    ...Object.keys(families).map((name) => [name, true] as const),
    ...Object.keys(withoutGradient).map((name) => [name, false] as const),
  ])('%s', async (name, withGradient) => {
    const family = (withGradient ? families : withoutGradient)[name]!;
    const eager = await run(true, family, withGradient);
    expect(eager.flat().some((value) => value !== 0)).toBe(true);
    expect(await run(false, family, withGradient)).toEqual(eager);
  });

  test.each([
    [true, 7],
    [false, 7],
    [true, 5000],
    [false, 5000],
  ])('gatherRows has its gradient (op by op: %s, %i rows)', (eager, rows) =>
    expectGatherGradient(compute, eager, rows),
  );

  test('the self-test passes', async () => {
    const { checks } = await runSelfTest(compute);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(checks.at(-1)!.figure).toMatch(/^\d+ GFLOP\/s/);
  });
});
