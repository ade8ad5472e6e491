/** Stable rank and rotation of a model against the checkpoint that it came from, by LAPACK's numbers (`spectral/pairs.json`). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCompute } from '../../../main/compute/compute.ts';
import { LanguageModel } from '../../../main/ml/model/languageModel.ts';
import { parseModelConfig } from '../../../main/ml/model/modelConfig.ts';
import { reversibleMatrices } from '../../../main/ml/model/weights.ts';
import { DecompositionCache } from '../../../main/ml/spectral/decompositionCache.ts';
import { openTensorSource, type TensorSource } from '../../../main/ml/spectral/tensorSource.ts';
import { spectralDrift } from '../../../main/ml/training/spectralDrift.ts';
import { temporaryFolder } from '../../unit/ml/spectral/temporaryFolder.ts';
import { fixturePath, hasFixture, readJson } from '../fixtures.ts';
import { readWeights } from './spectralPair.ts';

interface Pair {
  name: string;
  shape: [rows: number, columns: number];
  r: number;
  sigma_end: number[];
  angles: Record<string, { left_exact: number[]; right_exact: number[] }>;
}

/**
 * Of a mean angle and of a stable rank, relative. float32 turns a vector by about its precision times s_1 over the gap to the
 * next value: layer 0 has the close values of a random matrix.
 */
const tolerances = { float64: 1e-12, float32: 5e-6 } as const;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function expectedOf(pairs: readonly Pair[]): { stableRank: number; rotationRad: number } {
  const ranks = pairs.map(({ sigma_end: s }) => s.reduce((sum, x) => sum + (x / s[0]!) ** 2, 0));
  const angles = pairs.flatMap(({ angles, shape, r }) => {
    const k = r / 2;
    const { left_exact: left, right_exact: right } = angles[String(k)]!;
    return ([[left, shape[0]], [right, shape[1]]] as const).map(([side, d]) => mean(side.slice(Math.max(0, 2 * k - d)))); // prettier-ignore
  });
  return { stableRank: mean(ranks), rotationRad: mean(angles) };
}

describe.skipIf(!hasFixture('spectral', 'pairs.json'))('drift of a model', () => {
  const folder = temporaryFolder('drift');
  const config = parseModelConfig(readJson('tiny-llama-base', 'config.json'));
  let start: TensorSource;
  let end: LanguageModel;
  beforeAll(async () => {
    start = await openTensorSource(fixturePath('tiny-llama-base'));
    end = new LanguageModel(await openCompute(), config, readWeights('tiny-llama-end'));
  });
  afterAll(async () => {
    end.dispose();
    await start.close();
  });

  it.each(['float64', 'float32'] as const)('%s', async (precision) => {
    const { pairs } = readJson<{ pairs: Pair[] }>('spectral', 'pairs.json');
    const followed = new Map(reversibleMatrices(config).map(({ name, layer }) => [name, layer]));
    const cache = new DecompositionCache(folder, Infinity);
    const found = await spectralDrift({ start, cache, precision, threads: 2 })(end);
    for (let layer = 0; layer < config.numHiddenLayers; layer++) {
      const { stableRank, rotationRad } = expectedOf(pairs.filter(({ name }) => followed.get(name) === layer));
      const off = [
        found[`stableRankLayer${layer}`]! / stableRank - 1,
        found[`rotationRadLayer${layer}`]! - rotationRad,
      ];
      for (const one of off) expect(Math.abs(one), `layer ${layer}`).toBeLessThan(tolerances[precision]);
    }
  });
});
