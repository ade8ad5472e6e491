/** What `rotascope doctor` and the self-test job run: does this machine compute right, and how fast. */
import { AppError, toErrorShape } from '../contract/errors.ts';
import type { Compute } from './compute.ts';
import { gatherRows } from './gatherRows.ts';
import { svd } from './lapack.ts';
import type { CompiledStep, HostTensor, Session, Tensor } from './session.ts';

export interface SelfTestCheck {
  name: string;
  passed: boolean;
  /** What was measured, with its limit: "largest relative error 3.1e-4 (limit 1e-2)". */
  figure: string;
  /** What to do when it fails; empty when it passed. */
  nextStep: string;
}

/** Deterministic numbers in -1 .. 1 (a linear congruence): a test of arithmetic needs no better ones. */
function testValues(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export async function runSelfTest(compute: Compute): Promise<{ checks: SelfTestCheck[] }> {
  const reinstall =
    'Remove the folder of TensorFlow in the cache ("npx rotascope doctor" shows it) and run "npm start".';
  const checks = [
    await check('Gradients', reinstall, () => checkGradients(compute)),
    await check('Compiled steps', reinstall, () => checkCompiledSteps(compute)),
    await check('Singular values', 'Run "npm start" to install LAPACK again.', () => checkSvd()),
    await check('Matrix product', 'Close other programs and run the self-test again.', () => checkMatmulRate(compute)),
  ];
  return { checks };
}

interface Outcome {
  passed: boolean;
  figure: string;
}

async function check(
  name: string,
  nextStep: string,
  measure: () => Promise<Outcome> | Outcome,
): Promise<SelfTestCheck> {
  try {
    const { passed, figure } = await measure();
    return { name, passed, figure, nextStep: passed ? '' : nextStep };
  } catch (error) {
    const { message, hint } = toErrorShape(error);
    return { name, passed: false, figure: message, nextStep: hint ?? nextStep };
  }
}

const rows = 5;
const width = 6;
const ids = Int32Array.of(0, 3, 3, 1, 4, 0, 3);

/** One training step of a small network: gather, product, activation, softmax, mean, gradient, update. */
function openTrainingStep(compute: Compute, eager: boolean): { session: Session; step: CompiledStep } {
  const { tf } = compute;
  const session = compute.openSession({ eager });
  const table = session.variable('table', [rows, width], testValues(rows * width, 1));
  const weight = session.variable('weight', [width, width], testValues(width * width, 2));
  const step = session.compile(
    'self-test',
    { ids: { shape: [ids.length], dtype: 'int32' }, rate: { shape: [], dtype: 'float32' } },
    (inputs) => {
      const loss = (): Tensor => {
        const hidden = tf.sigmoid(tf.matMul(gatherRows(tf, table, inputs['ids']!), weight));
        return tf.mean(tf.square(tf.softmax(hidden)));
      };
      const { value, grads } = tf.variableGrads(loss as never, [table, weight]);
      for (const variable of [table, weight]) {
        variable.assign(tf.sub(variable, tf.mul(grads[variable.name]!, inputs['rate']!)));
      }
      return { loss: value, gradient: grads[weight.name]! };
    },
  );
  return { session, step };
}

/** The analytic gradient against central differences, in float32: limits are what its rounding allows. */
async function checkGradients(compute: Compute): Promise<Outcome> {
  const limit = 2e-2;
  const difference = 2e-2;
  const { session, step } = openTrainingStep(compute, true);
  try {
    const still = { ids, rate: Float32Array.of(0) };
    const gradient = (await step.run(still))['gradient']!.data;
    const largest = Math.max(...Array.from(gradient, Math.abs));
    const weight = await session.read('weight');
    let worst = 0;
    for (let index = 0; index < weight.length; index++) {
      const lossAt = async (offset: number): Promise<number> => {
        const moved = weight.slice();
        moved[index]! += offset;
        await session.write('weight', moved);
        return (await step.run(still))['loss']!.data[0]!;
      };
      const slope = ((await lossAt(difference)) - (await lossAt(-difference))) / (2 * difference);
      worst = Math.max(worst, Math.abs(slope - gradient[index]!) / largest);
    }
    return {
      passed: worst <= limit,
      figure: `largest error ${worst.toExponential(1)} of the gradient (limit ${limit})`,
    };
  } finally {
    session.dispose();
  }
}

/** Five updates, compiled and op by op: the same bits. */
async function checkCompiledSteps(compute: Compute): Promise<Outcome> {
  if (compute.backend !== 'tensorflow') return { passed: true, figure: 'this backend runs every step op by op' };
  const results: HostTensor[][] = [];
  for (const eager of [true, false]) {
    const { session, step } = openTrainingStep(compute, eager);
    const losses: HostTensor[] = [];
    for (let update = 0; update < 5; update++)
      losses.push(...Object.values(await step.run({ ids, rate: Float32Array.of(0.5) })));
    losses.push({ shape: [rows, width], data: await session.read('table') });
    results.push(losses);
    session.dispose();
  }
  const [eager, compiled] = results as [HostTensor[], HostTensor[]];
  const values = eager.flatMap(({ data }) => [...data]);
  const others = compiled.flatMap(({ data }) => [...data]);
  const different = values.filter((value, index) => !Object.is(value, others[index])).length;
  return { passed: different === 0, figure: `${different} of ${values.length} numbers differ from the op-by-op run` };
}

/** || A - u s vt || / || A || of a rectangular matrix. */
function checkSvd(): Outcome {
  const [m, n] = [48, 32];
  const limit = 1e-5;
  const a = testValues(m * n, 3);
  const { u, s, vt, rank } = svd(a, m, n);
  let [residual, norm] = [0, 0];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += u[i * rank + k]! * s[k]! * vt[k * n + j]!;
      residual += (a[i * n + j]! - sum) ** 2;
      norm += a[i * n + j]! ** 2;
    }
  }
  const ratio = Math.sqrt(residual / norm);
  return { passed: ratio <= limit, figure: `residual ${ratio.toExponential(1)} (limit ${limit})` };
}

/** The first product compiles; a slow device is not asked for more than the second. */
const enoughMs = 1000;

/** Best of a few products of 512 x 512 matrices; fails only when the numbers are wrong. */
async function checkMatmulRate(compute: Compute): Promise<Outcome> {
  const { tf } = compute;
  const size = 512;
  const values = testValues(size * size, 4);
  const a = tf.tensor2d(values, [size, size]);
  try {
    let bestMs = Infinity;
    let corner = NaN;
    const endMs = performance.now() + enoughMs;
    for (let attempt = 0; attempt < 5 && (attempt < 2 || performance.now() < endMs); attempt++) {
      const startMs = performance.now();
      const product = tf.matMul(a, a);
      corner = (await product.data())[0]!;
      bestMs = Math.min(bestMs, performance.now() - startMs);
      product.dispose();
    }
    let expected = 0;
    for (let k = 0; k < size; k++) expected += values[k]! * values[k * size]!;
    if (!(Math.abs(corner - expected) < 1e-2))
      throw new AppError('COMPUTE_FAILED', `A product is ${corner}, not ${expected}.`);
    return {
      passed: true,
      figure: `${((2 * size ** 3) / bestMs / 1e6).toFixed(0)} GFLOP/s (${size} x ${size}, float32)`,
    };
  } finally {
    a.dispose();
  }
}
