/** The comparison of two checkpoints on disk against LAPACK (numpy, scipy): `pairs.json`, `degenerate.json`, both precisions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Precision } from '../../../main/contract/spectral.ts';
import { compareMatrix, type MatrixComparison } from '../../../main/ml/spectral/compareStreamed.ts';
import { Decomposer } from '../../../main/ml/spectral/decomposer.ts';
import { forcedZeroCount } from '../../../main/ml/spectral/principalAngles.ts';
import { openTensorSource, type TensorSource } from '../../../main/ml/spectral/tensorSource.ts';
import { expectClose } from '../compare.ts';
import { fixturePath, hasFixture, readJson, readTensors } from '../fixtures.ts';
import { compareOnDisk, onDisk } from '../../unit/ml/spectral/onDisk.ts';

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

/** Of s relative to s_1, and of angles in radians: the file's own. Worst angles measured: 2e-13 and 1.9e-4 (close values at the cut). */
const tolerances = { float64: { s: 1e-12, angle: 1e-9 }, float32: { s: 1e-5, angle: 1e-3 } } as const;

describe.skipIf(!present).each(['float64', 'float32'] as const)('streamed comparison, %s', (precision: Precision) => {
  let base: TensorSource;
  let end: TensorSource;
  beforeAll(async () => {
    base = await openTensorSource(fixturePath('tiny-llama-base'));
    end = await openTensorSource(fixturePath('tiny-llama-end'));
  });
  afterAll(async () => {
    await Promise.all([base.close(), end.close()]);
  });

  async function compared(name: string, rank: number): Promise<MatrixComparison> {
    const decomposer = new Decomposer({ precision, cache: null });
    const weight = base.targets.find((target) => target.name === name)!;
    const factors = {
      reference: await decomposer.factorisation(base, name),
      target: await decomposer.factorisation(end, name),
    };
    const sources = { reference: base, target: end, restoration: null };
    return compareMatrix({ weight, factors, ...sources }, { angleRank: { rank }, seed: 0 });
  }

  it('covers every target of the pair', () => {
    expect(pairs.length).toBeGreaterThan(0);
    expect(base.targets.map(({ name }) => name).sort()).toEqual(pairs.map(({ name }) => name).sort());
  });

  it.each(pairs)('$name', async ({ name, shape, angles, ...expected }) => {
    const { s, angle } = tolerances[precision];
    const atol = s * Math.max(expected.sigma_base[0]!, expected.sigma_end[0]!);
    for (const [k, { left_exact, right_exact }] of Object.entries(angles)) {
      const { summary, curves } = await compared(name, Number(k));
      expectClose('s of base', curves.sReference, expected.sigma_base, { atol });
      expectClose('s of end', curves.sTarget, expected.sigma_end, { atol });
      const delta = curves.sTarget.map((x, i) => x - curves.sReference[i]!);
      expectClose('delta sigma', delta, expected.delta_sigma, { atol: 2 * atol });
      expect(summary.maxAbsDeltaSigma).toBeCloseTo(Math.max(...expected.delta_sigma.map(Math.abs)), 4);
      expectClose(`left angles, k = ${k}`, curves.leftRad, left_exact, { atol: angle });
      expectClose(`right angles, k = ${k}`, curves.rightRad, right_exact, { atol: angle });
      const sides = [
        [curves.leftRad, left_exact, summary.leftForcedZeros, shape[0]],
        [curves.rightRad, right_exact, summary.rightForcedZeros, shape[1]],
      ] as const;
      for (const [measured, exact, forced, d] of sides) {
        expect(forced).toBe(forcedZeroCount(d, Number(k)));
        // relative accuracy of small angles; below 1e-8 rad the reference itself is rounding
        if (precision === 'float64')
          for (let i = forced; i < exact.length; i++)
            if (exact[i]! > 1e-8 && exact[i]! < 1e-3)
              expect(Math.abs(measured[i]! / exact[i]! - 1), `k = ${k}, ${i}`).toBeLessThanOrEqual(1e-6);
      }
    }
  });
});

interface Degenerate {
  name: string;
  shape: [number, number];
  sigma_base: number[];
  sigma_end: number[];
  angles: { k: number; left: number[]; right: number[] }[];
}

const hasDegenerate = hasFixture('spectral', 'degenerate.json');
const { cases } = hasDegenerate ? readJson<{ cases: Degenerate[] }>('spectral', 'degenerate.json') : { cases: [] };

describe.skipIf(!hasDegenerate).each(['float64', 'float32'] as const)('degenerate matrices, %s', (precision) => {
  const arrays = hasDegenerate ? readTensors('spectral', 'degenerate.safetensors') : new Map<string, never>();

  it('has cases', () => expect(cases.length).toBeGreaterThan(0));

  it.each(cases)('$name', async ({ name, shape: [rows, columns], sigma_base, sigma_end, angles }) => {
    const matrix = (side: string): Promise<TensorSource> =>
      onDisk({ rows, columns, data: arrays.get(`${name}.${side}`)!.data });
    const sources = { reference: await matrix('base'), target: await matrix('end') };
    const large = Math.max(sigma_base[0]!, sigma_end[0]!);
    const atol = (precision === 'float64' ? 1e-11 : 2e-5) * large;
    for (const k of angles.length > 0 ? angles.map((angle) => angle.k) : [1]) {
      const { summary, curves } = await compareOnDisk(sources, { precision, angleRank: { rank: k } });
      for (const value of [...Object.values(summary), ...Object.values(curves).flat()])
        if (typeof value === 'number') expect(Number.isFinite(value), `${name}, k = ${k}`).toBe(true);
      expectClose('s of base', curves.sReference, sigma_base, { atol });
      expectClose('s of end', curves.sTarget, sigma_end, { atol });
      const expected = angles.find((angle) => angle.k === k);
      if (!expected || precision === 'float32') continue;
      expectClose(`left angles, k = ${k}`, curves.leftRad, expected.left, { atol: 1e-6 });
      expectClose(`right angles, k = ${k}`, curves.rightRad, expected.right, { atol: 1e-6 });
    }
  });
});
