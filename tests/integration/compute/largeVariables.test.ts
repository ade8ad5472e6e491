/** Variables written by pieces, zeros without an array, and recording a step without computing it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { nativeStatus } from '../../../main/bootstrap/native.mjs';
import { type Compute, openCompute, type Session } from '../../../main/compute/compute.ts';

const { ready, reason } = nativeStatus().tensorflow;
if (!ready) console.warn(`Compiled steps are not tested: ${reason}`);

async function* pieces(...parts: number[][]): AsyncGenerator<Float32Array> {
  for (const part of parts) yield Float32Array.from(part);
}

describe.skipIf(!ready)('large variables', () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'tensorflow' });
  });

  const inSession = async (eager: boolean, body: (session: Session) => Promise<void>): Promise<void> => {
    const session = compute.openSession({ eager });
    try {
      await body(session);
    } finally {
      session.dispose();
    }
  };

  test.each([false, true])('are filled by pieces, and zeros before that (op by op: %s)', async (eager) => {
    await inSession(eager, async (session) => {
      session.variable('v', [2, 3], null);
      session.variable('untouched', [2], null);
      expect([...(await session.read('v'))]).toEqual([0, 0, 0, 0, 0, 0]);
      await session.fill('v', pieces([1, 2], [], [3, 4, 5], [6]));
      expect([...(await session.read('v'))]).toEqual([1, 2, 3, 4, 5, 6]);
      expect([...(await session.read('untouched'))]).toEqual([0, 0]);
    });
  });

  test.each([false, true])(
    'refuse too few and too many elements and keep their value (op by op: %s)',
    async (eager) => {
      await inSession(eager, async (session) => {
        session.variable('v', [3], Float32Array.of(7, 8, 9));
        for (const wrong of [pieces([1, 2]), pieces([1, 2], [3, 4])])
          await expect(session.fill('v', wrong)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
        expect([...(await session.read('v'))]).toEqual([7, 8, 9]);
      });
    },
  );

  test('a step on terabytes can be recorded; only running it would need the memory', async () => {
    const { tf } = compute;
    await inSession(false, async (session) => {
      const size = 1 << 20;
      const huge = session.variable('huge', [size, size], null);
      const step = session.compile('huge', { x: { shape: [4, size], dtype: 'float32' } }, ({ x }) => {
        const { grads } = tf.variableGrads(() => tf.sum(tf.matMul(x as never, huge as never)), [huge]);
        huge.assign(tf.sub(huge, grads[huge.name]!));
        return { row: tf.slice(huge, [0, 0], [1, 8]) };
      });
      step.dispose();
    });
  });

  test('an op whose size depends on values is refused by name', async () => {
    const { tf } = compute;
    await inSession(false, async (session) => {
      const compile = (): unknown => {
        return session.compile('unique', { x: { shape: [4], dtype: 'int32' } }, ({ x }) => ({
          y: tf.unique(x!).values,
        }));
      };
      expect(compile).toThrow(expect.objectContaining({ code: 'COMPUTE_FAILED' }));
      expect(compile).toThrow('Unique');
    });
  });

  test('a constant made outside a step keeps its value for others after the step was recorded', async () => {
    const { tf } = compute;
    const constant = tf.tensor1d([1, 2, 3]);
    await inSession(false, async (session) => {
      const step = session.compile('constant', { x: { shape: [3], dtype: 'float32' } }, ({ x }) => ({
        y: tf.add(x!, constant),
      }));
      expect([...(await step.run({ x: Float32Array.of(1, 1, 1) }))['y']!.data]).toEqual([2, 3, 4]);
    });
    expect([...tf.tidy(() => tf.add(constant, constant).dataSync())]).toEqual([2, 4, 6]);
    constant.dispose();
  });
});
