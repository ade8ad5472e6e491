/** Compiled steps on the real TensorFlow: held to the op-by-op run, bit for bit, and to what a step promises. */
import { execFileSync, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Tensor2D } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { nativeStatus } from '../../../main/bootstrap/native.mjs';
import { type Compute, openCompute, type Session } from '../../../main/compute/compute.ts';
import { openEagerSession } from '../../../main/compute/eagerSession.ts';
import type { Tensor, Variable } from '../../../main/compute/session.ts';
import { type LoopResult, noise, trainingLoop } from './trainingLoop.ts';

const { ready, reason } = nativeStatus().tensorflow;
if (!ready) console.warn(`Compiled steps are not tested: ${reason}`);

const loopScript = fileURLToPath(new URL('./trainingLoop.ts', import.meta.url));
const loopIn = (backend: string, steps: number): LoopResult => {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const stdio: StdioOptions = ['ignore', 'pipe', 'ignore'];
  const printed = execFileSync(process.execPath, [loopScript, backend, String(steps)], {
    encoding: 'utf8',
    env,
    stdio,
  });
  return JSON.parse(printed) as LoopResult;
};

/** Bit patterns: NaN equals itself, and 0 is not -0. */
const bits = (values: Float32Array | Int32Array | number[]): number[] => [
  ...new Int32Array(Float32Array.from(values).buffer),
];

describe.skipIf(!ready)('compiled steps', () => {
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'tensorflow' });
  });

  const inSession = async <T>(body: (session: Session) => Promise<T>, eager = false): Promise<T> => {
    const session = compute.openSession({ eager });
    try {
      return await body(session);
    } finally {
      session.dispose();
    }
  };

  describe('a training loop', () => {
    test('gives the same bits compiled and op by op, over 12 steps', async () => {
      const compiled = await trainingLoop(compute, 12);
      const eager = await trainingLoop(compute, 12, true);
      expect(bits(compiled.losses)).toEqual(bits(eager.losses));
      for (const [name, values] of Object.entries(eager.weights))
        expect(bits(compiled.weights[name]!), name).toEqual(bits(values));
      expect(compiled.losses[11]).toBeLessThan(compiled.losses[0]!);
    });

    test('repeats bit for bit, in this process and in another', async () => {
      const first = await trainingLoop(compute, 6);
      expect(await trainingLoop(compute, 6)).toEqual(first);
      expect(loopIn('tensorflow', 6)).toEqual(first);
    });

    test('agrees with wasm as far as float32 does', async () => {
      // Both round to 2^-24 a thousand times over, in other orders; AdamW's division by small deviations magnifies that.
      const toleranceOfLoss = 1e-5;
      const toleranceOfWeight = 2e-4;
      const here = await trainingLoop(compute, 6);
      const wasm = loopIn('wasm', 6);
      here.losses.forEach((loss, index) => expect(Math.abs(loss - wasm.losses[index]!)).toBeLessThan(toleranceOfLoss));
      for (const [name, values] of Object.entries(here.weights)) {
        values.forEach((value, index) =>
          expect(Math.abs(value - wasm.weights[name]![index]!), name).toBeLessThan(toleranceOfWeight),
        );
      }
    });
  });

  describe('variables', () => {
    test('are read before any of them is assigned', async () => {
      // Large enough that a copy takes longer than issuing an op.
      const size = 200_000;
      await inSession(async (session) => {
        const a = session.variable('a', [size], new Float32Array(size).fill(1));
        const b = session.variable('b', [size], new Float32Array(size).fill(2));
        const c = session.variable('c', [size], new Float32Array(size).fill(0));
        const swap = session.compile('swap', { x: { shape: [size], dtype: 'float32' } }, ({ x }) => {
          const [oldA, oldB] = [a.clone(), b.clone()];
          c.assign(x!);
          a.assign(oldB);
          b.assign(oldA);
          return { oldA: compute.tf.max(oldA), sum: compute.tf.max(compute.tf.add(oldB, c)), oldC: c };
        });
        for (let run = 0; run < 40; run++) {
          const { oldA, sum, oldC } = await swap.run({ x: new Float32Array(size).fill(run) });
          const odd = run % 2;
          expect([oldA!.data[0], sum!.data[0], oldC!.data[0]]).toEqual([1 + odd, 2 - odd + run, run]);
        }
        expect((await session.read('a'))[size - 1]).toBe(1);
        expect((await session.read('c'))[0]).toBe(39);
      });
    });

    test('keep apart when a step gives several of them the same value', async () => {
      await inSession(async (session) => {
        const [a, b] = ['a', 'b'].map((name) => session.variable(name, [1], Float32Array.of(0))) as [
          Variable,
          Variable,
        ];
        const x = { x: { shape: [1], dtype: 'float32' } } as const;
        const both = session.compile('both', x as never, ({ x }) => (a.assign(x!), b.assign(x!), {}));
        const look = session.compile('look', {}, () => ({ a, b }));
        await both.run({ x: Float32Array.of(3) });
        await session.write('b', Float32Array.of(4));
        const seen = await look.run({});
        expect([seen['a']!.data[0], seen['b']!.data[0]]).toEqual([3, 4]);
      });
    });

    test('are not read by a later call before an earlier one is done', async () => {
      const { tf } = compute;
      const size = 512;
      await inSession(async (session) => {
        const v = session.variable('v', [], Float32Array.of(0));
        const slow = session.compile('slow', { x: { shape: [size, size], dtype: 'float32' } }, ({ x }) => {
          let y = x as Tensor2D;
          for (let i = 0; i < 8; i++) y = tf.matMul(y, x as Tensor2D);
          v.assign(tf.add(v, tf.mean(y)));
          return {};
        });
        const ones = new Float32Array(size * size).fill(1 / size);
        const runs = [slow.run({ x: ones }), slow.run({ x: ones })];
        // The mean is 1 / size, whatever the power; twice.
        expect((await session.read('v'))[0]).toBeCloseTo(2 / size, 6);
        await Promise.all(runs);
      });
    });

    test('are shared by the steps of a session, which take turns', async () => {
      await inSession(async (session) => {
        const v = session.variable('v', [2], Float32Array.of(1, 10));
        const add = session.compile(
          'add',
          { x: { shape: [2], dtype: 'float32' } },
          ({ x }) => (v.assign(v.add(x!)), { v }),
        );
        const later = session.variable('later', [], Float32Array.of(3));
        const double = session.compile('double', {}, () => (v.assign(v.mul(2)), later.assign(later.add(1)), { v }));
        // Not awaited one by one: the order of the calls counts.
        const x = Float32Array.of(1, 1);
        const results = await Promise.all([
          add.run({ x }),
          double.run({}),
          session.read('v'),
          add.run({ x }),
          double.run({}),
        ]);
        expect(results[2]).toEqual(Float32Array.of(4, 22));
        expect(results[4]['v']!.data).toEqual(Float32Array.of(10, 46));
        expect(await session.read('later')).toEqual(Float32Array.of(5));
        expect(session.names()).toEqual(['v', 'later']);
      });
    });

    test('come back as they were written, whatever the caller does with its array', async () => {
      await inSession(async (session) => {
        const initial = Float32Array.of(1.5, -0, NaN, Infinity, 1e-45, 3);
        const expected = initial.slice();
        session.variable('v', [2, 3], initial);
        initial.fill(9);
        expect(bits(await session.read('v'))).toEqual(bits(expected));
        const written = noise(6, 1);
        const copy = written.slice();
        const done = session.write('v', written);
        written.fill(9);
        await done;
        expect(await session.read('v')).toEqual(copy);
        const got = await session.read('v');
        got.fill(0);
        expect(await session.read('v')).toEqual(copy);
      });
    });

    test('cannot be used outside a step, where tfjs holds no value of them', async () => {
      await inSession(async (session) => {
        const v = session.variable('v', [1], Float32Array.of(1));
        expect(() => v.dataSync()).toThrow('is in the TensorFlow session');
        expect(() => v.assign(compute.tf.tensor1d([2]))).toThrow('is in the TensorFlow session');
        expect(() => session.variable('v', [1], Float32Array.of(1))).toThrow('already has a variable "v"');
        await expect(session.read('w')).rejects.toThrow('no variable "w"');
        await expect(session.write('v', Float32Array.of(1, 2))).rejects.toThrow('has 2 elements; [1] needs 1');
      });
      compute.tf.disposeVariables();
    });
  });

  describe('a step is refused', () => {
    const refusal = (build: (session: Session, x: () => Tensor) => Record<string, Tensor>): Promise<string> => {
      return inSession((session) => {
        const v = session.variable('v', [3], Float32Array.of(1, 2, 3));
        try {
          session.compile('bad', { x: { shape: [3], dtype: 'float32' } }, ({ x }) =>
            build(session, () => compute.tf.mul(x!, v)),
          );
        } catch (error) {
          return Promise.resolve((error as Error).message);
        }
        return Promise.resolve('');
      });
    };

    test('when it reads a value in the middle', async () => {
      expect(await refusal((_, y) => ({ y: compute.tf.scalar(y().dataSync()[0]!) }))).toBe(
        'Step "bad" reads a value after op 1 ("Mul"), so it cannot be compiled.',
      );
      expect(await refusal((_, y) => (void y().data(), { y: y() }))).toContain('reads a value after op 1 ("Mul")');
      expect(await refusal((_, y) => ({ y: y().mul(compute.tf.scalar(2).dataSync()[0]!) }))).toBe('');
    });

    test('when it is another one each time', async () => {
      let calls = 0;
      expect(await refusal((_, y) => ({ y: y().mul(++calls) }))).toContain(
        'gave another graph when it was traced again',
      );
      expect(await refusal((_, y) => ({ y: y().mul(compute.tf.randomUniform([3])) }))).toContain('(Const) differs');
      expect(await refusal((_, y) => ({ y: y().mul(compute.tf.randomUniform([40_000]).sum()) }))).toContain('differs');
      expect(await refusal((_, y) => ({ y: compute.tf.multinomial(y() as never, 2, 1) }))).toContain(
        'draws random numbers',
      );
    });

    test('when it uses a variable of another session', async () => {
      const other = compute.openSession();
      const foreign = other.variable('foreign', [3], Float32Array.of(1, 2, 3));
      expect(await refusal((_, y) => ({ y: y().add(foreign) }))).toContain('of another session');
      other.dispose();
    });

    test('and everything is as before afterwards', async () => {
      await refusal((session, y) => (void session, { y: compute.tf.scalar(y().dataSync()[0]!) }));
      expect(compute.tf.tensor1d([1, 2]).add(1).dataSync()).toEqual(Float32Array.of(2, 3));
      compute.tf.disposeVariables();
    });
  });

  describe('a run', () => {
    test('takes inputs of every declared kind and gives every kind of output', async () => {
      const { tf } = compute;
      const table = tf.range(0, 60_000).reshape([300, 200]);
      const ranks = tf.range(0, 40_000, 1, 'int32');
      const inputs = {
        f: { shape: [2, 2], dtype: 'float32' },
        i: { shape: [3], dtype: 'int32' },
        s: { shape: [], dtype: 'int32' },
      } as const;
      await inSession(async (session) => {
        const step = session.compile('kinds', inputs as never, ({ f, i, s }) => ({
          input: f!,
          integers: tf.add(i!, s!),
          truth: tf.greater(f!, 0),
          constant: tf.scalar(7),
          rows: tf.gather(table, i as never),
          ranks: tf.gather(ranks, i as never),
          made: tf.sum(tf.mul(tf.tensor(noise(30_000, 5)), 1)),
        }));
        const f = Float32Array.of(1, -1, 0, NaN);
        const out = await step.run({ f, i: Int32Array.of(299, 0, 7), s: Int32Array.of(-4) });
        expect(out['input']).toEqual({ shape: [2, 2], data: f });
        expect(out['integers']).toEqual({ shape: [3], data: Int32Array.of(295, -4, 3) });
        expect(out['truth']).toEqual({ shape: [2, 2], data: Int32Array.of(1, 0, 0, 0) });
        expect(out['constant']).toEqual({ shape: [], data: Float32Array.of(7) });
        expect(out['rows']!.data.slice(0, 2)).toEqual(Float32Array.of(59_800, 59_801));
        expect(out['ranks']!.data).toEqual(Int32Array.of(299, 0, 7));
        expect(out['made']!.data[0]).toBeCloseTo(
          noise(30_000, 5).reduce((sum, value) => sum + value),
          2,
        );
      });
      tf.dispose([table, ranks]);
    });

    test('is refused with wrong inputs', async () => {
      await inSession(async (session) => {
        const step = session.compile('s', { x: { shape: [2], dtype: 'float32' } }, ({ x }) => ({ x: x! }));
        await expect(step.run({})).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
        await expect(step.run({ x: Float32Array.of(1, 2), y: Float32Array.of(1) })).rejects.toThrow('has no input "y"');
        await expect(step.run({ x: Int32Array.of(1, 2) })).rejects.toThrow('is Int32Array, not float32');
        await expect(step.run({ x: Float32Array.of(1) })).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
        expect((await step.run({ x: Float32Array.of(1, 2) }))['x']!.data).toEqual(Float32Array.of(1, 2));
      });
    });

    test("carries TensorFlow's error, names the step, assigns nothing, and the next run works", async () => {
      const { tf } = compute;
      await inSession(async (session) => {
        const table = session.variable('table', [3], Float32Array.of(1, 2, 3));
        const step = session.compile('pick', { ids: { shape: [2], dtype: 'int32' } }, ({ ids }) => {
          const picked = tf.gather(table, ids as never);
          table.assign(tf.add(table, tf.sum(picked)));
          return { picked };
        });
        await expect(step.run({ ids: Int32Array.of(0, 5) })).rejects.toMatchObject({
          code: 'COMPUTE_FAILED',
          message: expect.stringMatching(/^Step "pick" failed: .*5 is not in \[0, 3\)/s) as string,
        });
        expect(await session.read('table')).toEqual(Float32Array.of(1, 2, 3));
        expect((await step.run({ ids: Int32Array.of(0, 2) }))['picked']!.data).toEqual(Float32Array.of(1, 3));
      });
    });

    test('leaves the event loop free', async () => {
      const { tf } = compute;
      const size = 1024;
      await inSession(async (session) => {
        const step = session.compile('busy', { x: { shape: [size, size], dtype: 'float32' } }, ({ x }) => {
          let y = x as never;
          for (let i = 0; i < 12; i++) y = tf.matMul(y, x as never);
          return { y: tf.sum(y) };
        });
        const x = noise(size * size, 1).map((value) => value / size);
        await step.run({ x });
        let ticks = 0;
        const timer = setInterval(() => ticks++, 1);
        const startMs = performance.now();
        await step.run({ x });
        const tookMs = performance.now() - startMs;
        clearInterval(timer);
        expect(ticks).toBeGreaterThan(Math.min(20, tookMs / 10));
      });
    });
  });

  test('1,000 runs leave no memory behind', async () => {
    const { tf } = compute;
    const size = 262_144;
    const tensorsBefore = tf.memory().numTensors;
    await inSession(async (session) => {
      const v = session.variable('v', [size], new Float32Array(size));
      const step = session.compile('copy', { x: { shape: [size], dtype: 'float32' } }, ({ x }) => {
        v.assign(tf.add(v, x!));
        return { y: tf.mul(v, 2) };
      });
      const x = new Float32Array(size).fill(1);
      for (let run = 0; run < 100; run++) await step.run({ x });
      const before = process.memoryUsage();
      for (let run = 0; run < 1000; run++) await step.run({ x });
      const after = process.memoryUsage();
      // One tensor kept per run would be 1,000 MiB; V8 may hold a few results that it has not collected yet.
      const native = (memory: NodeJS.MemoryUsage): number => memory.rss - memory.heapTotal - memory.arrayBuffers;
      expect((native(after) - native(before)) / 2 ** 20).toBeLessThan(64);
      expect((await session.read('v'))[0]).toBe(1100);
    });
    expect(tf.memory().numTensors).toBe(tensorsBefore);
  });

  test('an eager session gives the same interface', async () => {
    const session = openEagerSession(compute.tf);
    const tensorsBefore = compute.tf.memory().numTensors;
    const v = session.variable('v', [1], Float32Array.of(1));
    const step = session.compile(
      's',
      { x: { shape: [1], dtype: 'float32' } },
      ({ x }) => (v.assign(v.add(x!)), { v, x: x! }),
    );
    expect((await step.run({ x: Float32Array.of(2) }))['v']!.data).toEqual(Float32Array.of(3));
    await session.write('v', Float32Array.of(5));
    expect(await session.read('v')).toEqual(Float32Array.of(5));
    session.dispose();
    expect(compute.tf.memory().numTensors).toBe(tensorsBefore);
  });
});
