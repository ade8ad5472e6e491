/** Stable rank and rotation of a model by layer: planted turns, close singular values, and what is read of the start. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Compute, openCompute } from '../../../../main/compute/compute.ts';
import { LanguageModel } from '../../../../main/ml/model/languageModel.ts';
import { modelSettingsSchema } from '../../../../main/contract/settings.ts';
import { modelConfigFromSettings } from '../../../../main/ml/model/modelConfig.ts';
import { initWeights, reversibleMatrices, type WeightMap } from '../../../../main/ml/model/weights.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { decompose } from '../../../../main/ml/spectral/decompose.ts';
import type { MatrixSource } from '../../../../main/ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../../../main/ml/spectral/decompositionCache.ts';
import { multiply, signFixedQ, transposed, type Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { principalAnglesRad } from '../../../../main/ml/spectral/principalAngles.ts';
import { stableRank } from '../../../../main/ml/spectral/spectrum.ts';
import { spectralDrift } from '../../../../main/ml/training/spectralDrift.ts';
import { temporaryFolder } from '../spectral/temporaryFolder.ts';
import { toyTask } from './toyTask.ts';

const folder = temporaryFolder('drift');
/** Wide enough that gate, up and down are decomposed in place (above 256 x 256 elements). */
const size = { hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 4, numKeyValueHeads: 2, intermediateSize: 1100 };
const config = modelConfigFromSettings(modelSettingsSchema.parse(size), toyTask);
const matrices = reversibleMatrices(config);
let compute: Compute;
beforeAll(async () => {
  compute = await openCompute();
});

const orthonormal = (rows: number, columns: number, ...key: (string | number)[]): Matrix =>
  signFixedQ({ rows, columns, data: Float64Array.from(new Philox('drift', ...key).gaussians(rows * columns)) });

/** U diag(s) V^T, the vectors of each pair (i, rank - 1 - i) of the first `turned` turned into each other. */
function planted(
  name: string,
  [rows, columns]: [number, number],
  s: readonly number[],
  turned = 0,
  angleRad = 0,
): Matrix {
  // prettier-ignore
  const turn = (q: Matrix): Matrix => {
    const [cos, sin] = [Math.cos(angleRad), Math.sin(angleRad)];
    for (let i = 0; i < turned; i++)
      for (let row = 0; row < q.rows; row++) {
        const [a, b] = [row * q.columns + i, row * q.columns + s.length - 1 - i];
        [q.data[a], q.data[b]] = [cos * q.data[a]! + sin * q.data[b]!, cos * q.data[b]! - sin * q.data[a]!];
      }
    return q;
  };
  const [u, v] = [turn(orthonormal(rows, s.length, name, 'u')), turn(orthonormal(columns, s.length, name, 'v'))];
  for (let i = 0; i < u.data.length; i++) u.data[i]! *= s[i % s.length]!;
  return multiply(u, transposed(v));
}

function modelOf(make: (name: string, shape: [number, number]) => ArrayLike<number>): WeightMap {
  const weights = initWeights(config, new Philox('drift model'));
  for (const { name, rows, columns } of matrices)
    weights.set(name, { shape: [rows, columns], data: Float32Array.from(make(name, [rows, columns])) });
  return weights;
}

/** Weights in memory, read as a checkpoint on the disk is; counts how often. */
function sourceOf(weights: WeightMap, key: string): MatrixSource & { reads: number } {
  const read = (name: string): Float32Array => {
    source.reads++;
    return weights.get(name)!.data;
  };
  const source: MatrixSource & { reads: number } = {
    reads: 0,
    shape: (name) => weights.get(name)!.shape as [number, number],
    hash: (name) => Promise.resolve(`${key}-${name}`),
    read: (name) => {
      const [rows, columns] = source.shape(name);
      return Promise.resolve({ rows, columns, data: read(name).slice() });
    },
    readInto: (name, _, into) => Promise.resolve(into.set(read(name))),
  };
  return source;
}

const drifting = (start: MatrixSource, precision: 'float64' | 'float32', name: string) =>
  spectralDrift({ start, precision, cache: new DecompositionCache(`${folder}/${name}`, Infinity), threads: 2 });

async function driftOf(start: WeightMap, end: WeightMap, precision: 'float64' | 'float32', name: string) {
  const model = new LanguageModel(compute, config, end);
  try {
    return await drifting(sourceOf(start, name), precision, name)(model);
  } finally {
    model.dispose();
  }
}

/** By whole SVDs in float64. */
function expectedOf(start: WeightMap, end: WeightMap, layer: number): { rank: number; angle: number } {
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const own = matrices.filter((matrix) => matrix.layer === layer);
  const parts = own.map(({ name, rows, columns }) => {
    const [a, b] = [start, end].map((of) => decompose({ rows, columns, data: of.get(name)!.data }));
    const { left, right } = principalAnglesRad(a!, b!, b!.rank / 2);
    const sides = [left, right].filter(({ trivial }) => !trivial);
    return {
      rank: stableRank(b!.s),
      angles: sides.map(({ anglesRad, forcedZeros }) => mean([...anglesRad.slice(forcedZeros)])),
    };
  });
  return { rank: mean(parts.map(({ rank }) => rank)), angle: mean(parts.flatMap(({ angles }) => angles)) };
}

const geometric = (rank: number): number[] => Array.from({ length: rank }, (_, i) => 0.9 ** i);
const rankOf = ([rows, columns]: [number, number]): number => Math.min(rows, columns);

/** Of a mean angle in radians: rounding turns a vector by about the precision times s_1 over the gap beside it. */
const tolerances = { float64: 1e-7, float32: 2e-5 } as const;

describe.each(['float64', 'float32'] as const)('%s', (precision) => {
  it('gives the angle that was planted, in as many directions, and the stable rank', async () => {
    const [turned, angleRad] = [3, 0.2];
    const start = modelOf((name, shape) => planted(name, shape, geometric(rankOf(shape))).data);
    const end = modelOf((name, shape) => planted(name, shape, geometric(rankOf(shape)), turned, angleRad).data);
    const drift = await driftOf(start, end, precision, `planted-${precision}`);
    for (let layer = 0; layer < config.numHiddenLayers; layer++) {
      const own = matrices.filter((matrix) => matrix.layer === layer).map(({ rows, columns }) => rankOf([rows, columns])); // prettier-ignore
      const mean = own.reduce((sum, rank) => sum + (turned * angleRad) / (rank / 2), 0) / own.length;
      expect(Math.abs(drift[`rotationRadLayer${layer}`]! - mean)).toBeLessThan(tolerances[precision]);
      const ranks = own.reduce((sum, rank) => sum + (1 - 0.81 ** rank) / (1 - 0.81), 0) / own.length;
      expect(Math.abs(drift[`stableRankLayer${layer}`]! / ranks - 1)).toBeLessThan(tolerances[precision]);
    }
  });

  // The relative gap at the cut, and how far off the angle may then be: the vectors beside it turn, the others do not.
  it.each([
    { gap: 1e-2, float64: 1e-12, float32: 2e-6 },
    { gap: 1e-4, float64: 1e-12, float32: 1e-4 },
  ])('values as close as $gap', async ({ gap, [precision]: tolerance }) => {
    const close = (shape: [number, number]): number[] => {
      const rank = rankOf(shape);
      return Array.from({ length: rank }, (_, i) => 1 + gap * (rank / 2 - i));
    };
    const start = modelOf((name, shape) => planted(name, shape, close(shape)).data);
    const noise = new Philox('drift noise');
    const end = modelOf((name) => start.get(name)!.data.map((w) => w + 1e-5 * noise.gaussian()));
    const drift = await driftOf(start, end, precision, `close-${gap}-${precision}`);
    for (let layer = 0; layer < config.numHiddenLayers; layer++) {
      const { rank, angle } = expectedOf(start, end, layer);
      expect(Math.abs(drift[`rotationRadLayer${layer}`]! - angle)).toBeLessThan(tolerance);
      expect(Math.abs(drift[`stableRankLayer${layer}`]! / rank - 1)).toBeLessThan(1e-5);
    }
  });
});

it('is about 0 where the run begins; the start is decomposed once, by one run as by a resumed one', async () => {
  const start = modelOf((name, shape) => planted(name, shape, geometric(rankOf(shape))).data);
  const source = sourceOf(start, 'once');
  const model = new LanguageModel(compute, config, start);
  try {
    const drift = drifting(source, 'float32', 'once');
    const first = await drift(model);
    for (const [name, value] of Object.entries(first))
      if (name.startsWith('rotation')) expect(value).toBeLessThan(1e-5);
    expect(Object.keys(first)).toHaveLength(2 * config.numHiddenLayers);
    expect(source.reads).toBe(matrices.length);
    expect(await drift(model)).toEqual(first);
    expect(await drifting(source, 'float32', 'once')(model)).toEqual(first);
    expect(source.reads).toBe(matrices.length);
  } finally {
    model.dispose();
  }
});

it('values that are equal at the cut give some angle, and nothing fails', async () => {
  const start = modelOf((name, shape) => planted(name, shape, new Array<number>(rankOf(shape)).fill(1)).data);
  const zero = modelOf((_, [rows, columns]) => new Float32Array(rows * columns));
  for (const end of [start, zero])
    for (const [name, value] of Object.entries(await driftOf(start, end, 'float32', 'equal'))) {
      expect(Number.isFinite(value), name).toBe(true);
      if (name.startsWith('rotation')) expect(value).toBeLessThanOrEqual(Math.PI / 2);
    }
});
