/** Degenerate matrices by the rules of `spectral/degenerate.json`, with LAPACK in both precisions and with Jacobi. */
import { describe, expect, it } from 'vitest';
import { svd, type Svd } from '../../../main/compute/lapack.ts';
import type { RevertKind } from '../../../main/contract/sweeps.ts';
import { revertMatrix } from '../../../main/ml/reversion/revertMatrix.ts';
import { decompose } from '../../../main/ml/spectral/decompose.ts';
import { jacobiSvd } from '../../../main/ml/spectral/jacobiSvd.ts';
import {
  linearAlgebraBackend,
  multiply,
  orthogonalityDefect,
  thinSvd,
  toPrecision,
  transposed,
} from '../../../main/ml/spectral/linearAlgebra.ts';
import { principalAnglesRad } from '../../../main/ml/spectral/principalAngles.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson, readTensors } from '../fixtures.ts';

interface Case {
  name: string;
  shape: [number, number];
  sigma_base: number[];
  sigma_end: number[];
  angles: { k: number; left: number[]; right: number[] }[];
  reversions: {
    kind: 'value' | 'vector';
    k: number;
    unique: boolean;
    relative_tolerance?: { f64: number };
    singular_values_of_result?: 'sigma_base' | 'sigma_end';
  }[];
}

/** ||Q^T Q - I|| and the product of one SVD, by the file's rules. `accuracy` is 'f64' or 'f32'. */
function checkSvd(result: Svd, a: Float32Array, sigma: number[], accuracy: 'f64' | 'f32'): void {
  const { rows, columns, rank } = result;
  const u = { rows, columns: rank, data: Float64Array.from(result.u) };
  const vt = { rows: rank, columns, data: Float64Array.from(result.vt) };
  const orthogonal = accuracy === 'f64' ? 1e-12 : 1e-5;
  expect(orthogonalityDefect(u)).toBeLessThanOrEqual(orthogonal);
  expect(orthogonalityDefect(transposed(vt))).toBeLessThanOrEqual(orthogonal);
  const scaled = { ...u, data: u.data.map((x, i) => x * result.s[i % rank]!) };
  const product = multiply(scaled, vt);
  const large = sigma[0]! * Math.sqrt(Math.max(rows, columns));
  expectClose('u diag(s) vt', product.data, a, { atol: (accuracy === 'f64' ? 1e-13 : 2e-6) * large });
  expectClose('s', result.s, sigma, { atol: (accuracy === 'f64' ? 1e-11 : 2e-5) * sigma[0]! });
}

const present = hasFixture('spectral', 'degenerate.json');
const { cases } = present ? readJson<{ cases: Case[] }>('spectral', 'degenerate.json') : { cases: [] };

describe.skipIf(!present)('degenerate matrices', () => {
  const arrays = present ? readTensors('spectral', 'degenerate.safetensors') : new Map<string, never>();
  const array = (name: string): Float32Array => Float32Array.from(arrays.get(name)!.data);

  it('has cases', () => expect(cases.length).toBeGreaterThan(0));

  it.each(cases)('$name: decomposition', ({ name, shape: [rows, columns], ...spectra }) => {
    for (const side of ['base', 'end'] as const) {
      const a = array(`${name}.${side}`);
      const sigma = spectra[`sigma_${side}`];
      checkSvd(jacobiSvd(a, rows, columns), a, sigma, 'f64');
      checkSvd(thinSvd(toPrecision({ rows, columns, data: a }, 'float64')), a, sigma, 'f64');
      if (linearAlgebraBackend() === 'openblas') checkSvd(svd(a, rows, columns), a, sigma, 'f32');
    }
  });

  it.each(cases)('$name: principal angles', ({ name, shape: [rows, columns], angles }) => {
    const base = decompose({ rows, columns, data: array(`${name}.base`) });
    const end = decompose({ rows, columns, data: array(`${name}.end`) });
    for (const { k, left, right } of angles) {
      const computed = principalAnglesRad(base, end, k);
      expectClose(`left angles, k = ${k}`, computed.left.anglesRad, left, { atol: 1e-6 });
      expectClose(`right angles, k = ${k}`, computed.right.anglesRad, right, { atol: 1e-6 });
    }
  });

  it.each(cases)('$name: reversions', ({ name, shape: [rows, columns], reversions, ...spectra }) => {
    const base = decompose({ rows, columns, data: array(`${name}.base`) });
    const end = decompose({ rows, columns, data: array(`${name}.end`) });
    const scale = Math.max(spectra.sigma_base[0]!, spectra.sigma_end[0]!);
    for (const { kind, k, unique, ...rule } of reversions) {
      const revert: RevertKind = kind === 'value' ? 'singularValues' : 'singularVectors';
      const { weight } = revertMatrix(end, base, { revert, ranks: { top: k } });
      expect(weight.data.every(Number.isFinite)).toBe(true);
      if (unique) {
        const expected = arrays.get(`${name}.${kind}${k}`)!.data;
        expectClose(`${kind} ${k}`, weight.data, expected, { atol: rule.relative_tolerance!.f64 * scale });
      } else if (rule.singular_values_of_result) {
        const wanted = spectra[rule.singular_values_of_result];
        expectClose(`spectrum of ${kind} ${k}`, thinSvd(weight).s, wanted, { atol: 1e-5 * scale });
      }
    }
  });
});
