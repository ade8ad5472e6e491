/** Laws of the rotation penalty, against the angles that LAPACK measures. */
import { beforeAll, expect, it } from 'vitest';
import { type Compute, openCompute } from '../../../../main/compute/compute.ts';
import { LanguageModel } from '../../../../main/ml/model/languageModel.ts';
import { reversibleMatrices, type WeightMap } from '../../../../main/ml/model/weights.ts';
import { revertMatrix } from '../../../../main/ml/reversion/revertMatrix.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { decompose, factors } from '../../../../main/ml/spectral/decompose.ts';
import { multiply, takeColumns, transposed } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { rotationPenalty } from '../../../../main/ml/training/rotationPenalty.ts';
import { toyConfig, toyWeights } from './toyRun.ts';

const settings = { coefficient: 1, rankShare: 0.25 };
let compute: Compute;
beforeAll(async () => {
  compute = await openCompute();
});

async function penaltyOf(weights: WeightMap, reference: WeightMap): Promise<number> {
  const model = new LanguageModel(compute, toyConfig, weights);
  try {
    const value = await rotationPenalty(model, (name) => reference.get(name)!.data, settings);
    const { out } = await model.step('penalty', {}, () => ({ out: value() })).run({});
    return out!.data[0]!;
  } finally {
    model.dispose();
  }
}

function edited(change: (name: string, data: Float32Array) => ArrayLike<number>): WeightMap {
  const weights = toyWeights();
  for (const { name } of reversibleMatrices(toyConfig)) {
    const weight = weights.get(name)!;
    weights.set(name, { ...weight, data: Float32Array.from(change(name, weight.data)) });
  }
  return weights;
}

/** float32: squares of rounding errors. */
const zero = 1e-12;

it('is 0 at the reference, and where only singular values have changed', async () => {
  expect(await penaltyOf(toyWeights(), toyWeights())).toBeLessThan(zero);
  const matrices = new Map(reversibleMatrices(toyConfig).map((matrix) => [matrix.name, matrix]));
  const scaled = edited((name, data) => {
    const { rows, columns } = matrices.get(name)!;
    const target = decompose({ rows, columns, data });
    const reference = { ...target, s: target.s.map((s, i) => s * (1 + 0.3 * Math.sin(i))) };
    return revertMatrix(target, reference, { revert: 'singularValues' }).weight.data;
  });
  expect(await penaltyOf(scaled, toyWeights())).toBeLessThan(zero);
});

it('is what leads out of the subspaces, by its definition in float64', async () => {
  const random = new Philox('penalty');
  const turned = edited((_, data) => data.map((w) => w + 0.02 * random.gaussian()));
  const matrices = reversibleMatrices(toyConfig);
  let expected = 0;
  for (const { name, rows, columns } of matrices) {
    const w = { rows, columns, data: Float64Array.from(turned.get(name)!.data) };
    const { u, vt } = factors(decompose({ rows, columns, data: toyWeights().get(name)!.data }));
    const k = Math.max(1, Math.round(settings.rankShare * Math.min(rows, columns)));
    const leading = Array.from({ length: k }, (_, i) => i);
    const [uk, vk] = [takeColumns(u, leading), takeColumns(transposed(vt), leading)];
    const square = (m: { data: Float64Array }): number => m.data.reduce((sum, x) => sum + x * x, 0);
    const core = square(multiply(multiply(uk, w, { a: true }), vk));
    const out = square(multiply(uk, w, { a: true })) + square(multiply(w, vk)) - 2 * core;
    expected +=
      out /
      toyWeights()
        .get(name)!
        .data.reduce((sum, x) => sum + x * x, 0) /
      matrices.length;
  }
  expect(await penaltyOf(turned, toyWeights())).toBeCloseTo(expected, 7);
  expect(expected).toBeGreaterThan(1e-3);
});
