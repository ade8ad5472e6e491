/**
 * The path from disk (ranged reads, gesdd in place, cache) against numpy and scipy, in both precisions, with the tolerances of
 * the fixtures: `pairs.json`, `reverted.json`, `degenerate.json`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projections, type Precision } from '../../../main/contract/spectral.ts';
import { revertMatrix } from '../../../main/ml/reversion/revertMatrix.ts';
import type { Factorisation } from '../../../main/ml/spectral/decompose.ts';
import { Decomposer } from '../../../main/ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../../main/ml/spectral/decompositionCache.ts';
import { linearAlgebraBackend, multiply, toPrecision, type RealOf } from '../../../main/ml/spectral/linearAlgebra.ts';
import { principalAnglesRad } from '../../../main/ml/spectral/principalAngles.ts';
import { openTensorSource, type TensorSource } from '../../../main/ml/spectral/tensorSource.ts';
import { expectClose } from '../compare.ts';
import { fixturePath, hasFixture, readJson, readTensors } from '../fixtures.ts';
import { parseVariant } from './variants.ts';

interface Pair {
  name: string;
  shape: [number, number];
  sigma_base: number[];
  sigma_end: number[];
  angles: Record<string, { left_exact: number[]; right_exact: number[] }>;
}
type Variant = { name: string } & Record<'tolerance_f32' | 'tolerance_f64', number>;
interface Degenerate {
  name: string;
  shape: [number, number];
  sigma_base: number[];
  sigma_end: number[];
}

const present = hasFixture('spectral', 'pairs.json');
const { pairs } = present ? readJson<{ pairs: Pair[] }>('spectral', 'pairs.json') : { pairs: [] };
const { variants } = present ? readJson<{ variants: Variant[] }>('spectral', 'reverted.json') : { variants: [] };
const { cases } = present ? readJson<{ cases: Degenerate[] }>('spectral', 'degenerate.json') : { cases: [] };

const precisions: Precision[] = linearAlgebraBackend() === 'openblas' ? ['float32', 'float64'] : ['float64'];
/** All in place, with the checks that large matrices get. */
const exactElements = 0;

describe.skipIf(!present).each(precisions)('from disk, %s', (precision) => {
  const folder = mkdtempSync(join(tmpdir(), 'rotascope-streamed-'));
  const cache = new DecompositionCache(folder, 1e9);
  let [base, end, degenerate] = [] as unknown as [TensorSource, TensorSource, TensorSource];
  // a new one each time: what the first one computed comes back from the cache
  const of = (source: TensorSource, name: string): Promise<Factorisation<RealOf<Precision>>> =>
    new Decomposer({ precision, cache, exactElements }).factorisation(source, name);

  beforeAll(async () => {
    base = await openTensorSource(fixturePath('tiny-llama-base'));
    end = await openTensorSource(fixturePath('tiny-llama-end'));
    degenerate = await openTensorSource(fixturePath('spectral', 'degenerate.safetensors'));
  });
  afterAll(async () => {
    await Promise.all([base, end, degenerate].map((source) => source.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(pairs)('$name: singular values', async ({ name, sigma_base, sigma_end }) => {
    const accuracy = precision === 'float32' ? 1e-5 : 1e-12;
    expectClose('s of base', (await of(base, name)).s, sigma_base, { atol: accuracy * sigma_base[0]! });
    expectClose('s of end', (await of(end, name)).s, sigma_end, { atol: accuracy * sigma_end[0]! });
  });

  // Of float32 vectors the angles are known to 1e-3 only; the comparison's own tests hold them to that.
  it.each(precision === 'float64' ? pairs : [])('$name: principal angles', async ({ name, angles }) => {
    for (const [k, { left_exact, right_exact }] of Object.entries(angles)) {
      const { left, right } = principalAnglesRad(await of(base, name), await of(end, name), Number(k));
      expectClose(`left angles, k = ${k}`, left.anglesRad, left_exact, { atol: 1e-9 });
      expectClose(`right angles, k = ${k}`, right.anglesRad, right_exact, { atol: 1e-9 });
    }
  });

  it.each(variants)('$name: reverted weights', async ({ name, ...tolerances }) => {
    const { revert, ranks, layers, withO } = parseVariant(name);
    const expected = readTensors('spectral', 'reverted', `${name}.safetensors`);
    const targets = end.targets.filter(
      ({ layer, matrix }) => (layers?.includes(layer) ?? true) && (withO || matrix !== 'o'),
    );
    expect(projections).toContain(targets[0]!.matrix);
    expect(targets).toHaveLength(expected.size);
    const atol = tolerances[precision === 'float32' ? 'tolerance_f32' : 'tolerance_f64'];
    for (const { name: weight } of targets) {
      const decomposed = async (source: TensorSource) => {
        return { ...(await of(source, weight)), weight: toPrecision(await source.read(weight), precision) };
      };
      const reverted = revertMatrix(await decomposed(end), await decomposed(base), { revert, ranks });
      expectClose(weight, reverted.weight.data, expected.get(weight)!.data, { atol });
    }
  });

  it.each(cases)('$name: degenerate', async ({ name, ...sigma }) => {
    for (const side of ['base', 'end'] as const) {
      const { rows, columns, rank, u, s, vt, residual, orthogonality } = await of(degenerate, `${name}.${side}`);
      const expected = sigma[`sigma_${side}`];
      const single = precision === 'float32';
      const [length, largest] = [Math.max(rows, columns), expected[0]!];
      expectClose('s', s, expected, { atol: (single ? 2e-5 : 1e-11) * largest });
      const scaled = { rows, columns: rank, data: Float64Array.from(u, (x, i) => x * s[i % rank]!) };
      const product = multiply(scaled, { rows: rank, columns, data: Float64Array.from(vt) });
      const { data } = await degenerate.read(`${name}.${side}`);
      expectClose('u diag(s) vt', product.data, data, { atol: (single ? 2e-6 : 1e-13) * largest * Math.sqrt(length) });
      expect(residual).toBeLessThanOrEqual(single ? 1e-5 : 1e-13);
      expect(orthogonality).toBeLessThanOrEqual(single ? 1e-4 : 1e-12);
    }
  });
});
