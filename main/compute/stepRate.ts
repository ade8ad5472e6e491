/** How fast a backend trains: steps of two plain networks, one as narrow as the miniature's, one as wide as a real model's. */
import type { Compute } from './compute.ts';
import type { Tensor } from './session.ts';

/** Steps a second. */
export interface StepRates {
  narrow: number;
  wide: number;
}

/** Tokens of a batch times the hidden size: 64 x 25 of the miniature; half a batch of a 0.5B model. */
const shapes = { narrow: [1600, 64], wide: [512, 1024] } as const;
const layers = 6;
const measuredMs = 500;

/** Of a step that is measured, s. */
const longestStep = 2;

/** Floating-point operations of a step's products: forward, and backward to the inputs and to the weights. */
const operationsOf = ([tokens, width]: readonly [number, number]): number => layers * 3 * 2 * tokens * width ** 2;

/** Floating-point operations a second in the products of a training step: of wide layers, as real models have them. */
export async function productRate(compute: Compute): Promise<number> {
  const rateOf = async (shape: readonly [number, number]): Promise<number> =>
    (await stepRate(compute, ...shape)) * operationsOf(shape);
  const narrow = await rateOf(shapes.narrow);
  // A GPU in software, or WebAssembly: the narrow ones say enough.
  return operationsOf(shapes.wide) / narrow > longestStep ? narrow : rateOf(shapes.wide);
}

export async function stepRates(compute: Compute): Promise<StepRates> {
  return { narrow: await stepRate(compute, ...shapes.narrow), wide: await stepRate(compute, ...shapes.wide) };
}

/** The best step of half a second, after one that compiles. */
async function stepRate(compute: Compute, tokens: number, width: number): Promise<number> {
  const { tf } = compute;
  const session = compute.openSession();
  try {
    const initial = new Float32Array(width * width).map((_, index) => Math.sin(index) / Math.sqrt(width));
    const weights = Array.from({ length: layers }, (_, layer) =>
      session.variable(`weight ${layer}`, [width, width], initial),
    );
    const step = session.compile('rate', { x: { shape: [tokens, width], dtype: 'float32' } }, ({ x }) => {
      const loss = (): Tensor => tf.mean(tf.square(weights.reduce<Tensor>((h, w) => tf.sigmoid(tf.matMul(h, w)), x!)));
      const { value, grads } = tf.variableGrads(loss as never, weights);
      for (const weight of weights) weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, 0.01)));
      return { loss: value };
    });
    const x = new Float32Array(tokens * width).map((_, index) => Math.cos(index));
    await step.run({ x });
    let bestMs = Infinity;
    const endMs = performance.now() + measuredMs;
    do {
      const startMs = performance.now();
      await step.run({ x });
      bestMs = Math.min(bestMs, performance.now() - startMs);
    } while (performance.now() < endMs);
    return 1000 / bestMs;
  } finally {
    session.dispose();
  }
}
