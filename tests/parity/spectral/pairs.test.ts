/** Singular values, delta sigma and principal angles against LAPACK (numpy, scipy): `spectral/pairs.json`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { svd } from '../../../main/compute/lapack.ts';
import type { CheckpointDecompositions } from '../../../main/ml/spectral/checkpointDecompositions.ts';
import { linearAlgebraBackend } from '../../../main/ml/spectral/linearAlgebra.ts';
import { forcedZeroCount, principalAnglesRad } from '../../../main/ml/spectral/principalAngles.ts';
import { deltaSigma } from '../../../main/ml/spectral/spectrum.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson } from '../fixtures.ts';
import { openPair } from './spectralPair.ts';

interface Pair {
  name: string;
  shape: [number, number];
  sigma_base: number[];
  sigma_end: number[];
  delta_sigma: number[];
  angles: Record<string, { left_exact: number[]; right_exact: number[] }>;
}

const present = hasFixture('spectral', 'pairs.json');
const { pairs } = present ? readJson<{ pairs: Pair[] }>('spectral', 'pairs.json') : { pairs: [] };

describe.skipIf(!present)('spectral pairs', () => {
  let base: CheckpointDecompositions;
  let end: CheckpointDecompositions;
  beforeAll(() => {
    ({ reference: base, target: end } = openPair());
  });

  it('has pairs', () => expect(pairs.length).toBeGreaterThan(0));

  it.each(pairs)('$name: singular values and delta sigma, float64', ({ name, ...expected }) => {
    const atol = 1e-12 * Math.max(expected.sigma_base[0]!, expected.sigma_end[0]!);
    expectClose('s of base', base.of(name).s, expected.sigma_base, { atol });
    expectClose('s of end', end.of(name).s, expected.sigma_end, { atol });
    expectClose('delta sigma', deltaSigma(base.of(name), end.of(name)), expected.delta_sigma, { atol: 2 * atol });
  });

  it.skipIf(linearAlgebraBackend() !== 'openblas').each(pairs)(
    '$name: singular values, float32',
    ({ name, ...pair }) => {
      const { shape, data } = base.weights.get(name)!;
      const { s } = svd(data, shape[0]!, shape[1]!);
      expectClose('s', s, pair.sigma_base, { atol: 1e-5 * pair.sigma_base[0]! });
    },
  );

  it.each(pairs)('$name: principal angles of the leading k vectors', (pair) => {
    for (const [k, { left_exact, right_exact }] of Object.entries(pair.angles)) {
      const { rank, left, right } = principalAnglesRad(base.of(pair.name), end.of(pair.name), Number(k));
      expect(rank).toBe(Number(k));
      for (const [name, side, d, reference] of [
        ['left', left, pair.shape[0], left_exact],
        ['right', right, pair.shape[1], right_exact],
      ] as const) {
        expectClose(`${name} angles, k = ${k}`, side.anglesRad, reference, { atol: 1e-9 });
        expect(side.forcedZeros).toBe(forcedZeroCount(d, rank));
        expect(side.trivial).toBe(rank === d);
        // relative accuracy of small angles; below 1e-8 rad the reference itself is rounding
        for (let i = side.forcedZeros; i < rank; i++)
          if (reference[i]! > 1e-8 && reference[i]! < 1e-3)
            expect(Math.abs(side.anglesRad[i]! / reference[i]! - 1), `${name}, k = ${k}, i = ${i}`).toBeLessThanOrEqual(
              1e-6,
            );
      }
    }
  });
});
