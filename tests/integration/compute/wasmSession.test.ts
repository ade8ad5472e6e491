/** Sessions on the embedded backend. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Compute, openCompute } from '../../../main/compute/compute.ts';
import { runSelfTest } from '../../../main/compute/selfTest.ts';
import { expectGatherGradient } from './gatherGradient.ts';
import { trainingLoop } from './trainingLoop.ts';

describe('on wasm', () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'wasm' });
  });

  test('the status says what computes and why', async () => {
    expect(compute.status).toMatchObject({
      backend: 'wasm',
      label: 'WebAssembly · CPU',
      reason: 'WebAssembly was asked for.',
    });
    expect(compute.provenance).toMatchObject({ backend: 'wasm', simd: true, node: process.version });
    expect(await openCompute()).toBe(compute);
    await expect(openCompute({ backend: 'tensorflow' })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('a training loop learns, repeats, and leaves no tensor behind', async () => {
    const tensorsBefore = compute.tf.memory().numTensors;
    const first = await trainingLoop(compute, 8);
    expect(await trainingLoop(compute, 8)).toEqual(first);
    expect(first.losses[7]).toBeLessThan(first.losses[0]! * 0.8);
    expect(compute.tf.memory().numTensors).toBe(tensorsBefore);
  });

  test.each([7, 5000])('gatherRows has its gradient, %i rows', (rows) => expectGatherGradient(compute, false, rows));

  test('the same checks of inputs and the same errors as on TensorFlow', async () => {
    const session = compute.openSession();
    const v = session.variable('v', [2], Float32Array.of(1, 2));
    const step = session.compile('s', { x: { shape: [2], dtype: 'float32' } }, ({ x }) => ({
      y: v.add(x!),
      big: x!.greater(0),
    }));
    expect((await step.run({ x: Float32Array.of(1, -1) }))['big']).toEqual({ shape: [2], data: Int32Array.of(1, 0) });
    await expect(step.run({ x: Float32Array.of(1) })).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    await expect(step.run({})).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(session.read('w')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(session.write('v', Float32Array.of(1))).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    const failing = session.compile('fails', {}, () => ({ y: compute.tf.matMul(v, v) }));
    await expect(failing.run({})).rejects.toMatchObject({
      code: 'COMPUTE_FAILED',
      message: expect.stringMatching(/^Step "fails"/) as string,
    });
    session.dispose();
  });

  test('the self-test passes', async () => {
    const { checks } = await runSelfTest(compute);
    expect(checks.map(({ name }) => name)).toEqual([
      'Gradients',
      'Compiled steps',
      'Singular values',
      'Matrix product',
    ]);
    // LAPACK is a part of its own; where it is missing that line says so.
    expect(checks.filter(({ name, passed }) => !passed && name !== 'Singular values')).toEqual([]);
  });
});
