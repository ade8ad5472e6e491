/** The laws of reversion, on square and GQA-shaped matrices. */
import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { revertKinds, type RankSelection } from '../../../../main/contract/sweeps.ts';
import { revertMatrix } from '../../../../main/ml/reversion/revertMatrix.ts';
import { selectRanks } from '../../../../main/ml/reversion/selectRanks.ts';
import { decompose, factors, scaleColumns, type Decomposition } from '../../../../main/ml/spectral/decompose.ts';
import {
  frobeniusNorm,
  multiply,
  signFixedQ,
  subtract,
  thinSvd,
  type Matrix,
} from '../../../../main/ml/spectral/linearAlgebra.ts';
import { principalAnglesRad } from '../../../../main/ml/spectral/principalAngles.ts';

// q square; k and v narrow as with grouped queries; down wide
const shapes: [number, number][] = [
  [16, 16],
  [8, 24],
  [24, 8],
];

function gaussian(rows: number, columns: number, ...key: (string | number)[]): Matrix {
  return { rows, columns, data: Float64Array.from(new Philox(...key).gaussians(rows * columns)) };
}

/** A float32 matrix and the same after a small fine-tuning. */
function pair(rows: number, columns: number): { reference: Decomposition; target: Decomposition } {
  const reference = gaussian(rows, columns, 'reference', rows);
  const step = gaussian(rows, columns, 'step', rows);
  const moved = Float32Array.from(reference.data, (w, i) => w + 0.1 * step.data[i]!);
  return { reference: decompose(reference), target: decompose({ rows, columns, data: moved }) };
}

function difference(a: Matrix, b: Matrix): number {
  return frobeniusNorm(subtract(a, b).data);
}

/** The same matrix with the common sign of some triplets turned. */
function signsFlipped(of: Decomposition): Decomposition {
  const flip = (i: number): number => (i % 2 === 0 ? -1 : 1);
  const u = of.u.map((x, at) => x * flip(at % of.rank));
  const vt = of.vt.map((x, at) => x * flip(Math.floor(at / of.columns)));
  return { ...of, u, vt };
}

describe.each(shapes)('reversion of a [%i, %i] matrix', (rows, columns) => {
  const { reference, target } = pair(rows, columns);

  it.each(revertKinds)('%s: nothing selected is the target bit for bit', (revert) => {
    for (const ranks of [{}, { top: 0 }, { band: [3, 3] }] satisfies RankSelection[]) {
      const { weight, selected, change } = revertMatrix(target, reference, { revert, ranks });
      expect(weight.data).toEqual(target.weight.data);
      expect(selected).toEqual([]);
      expect(frobeniusNorm(change.data)).toBe(0);
    }
  });

  it('values at full rank: the spectrum of the reference, the vectors of the target', () => {
    const { weight, selected } = revertMatrix(target, reference, { revert: 'singularValues' });
    expect(selected.length).toBe(Math.min(rows, columns));
    const { u, vt } = factors(target);
    expect(difference(weight, multiply(scaleColumns(u, reference.s), vt))).toBeLessThan(1e-13);
    thinSvd(weight).s.forEach((s, i) => expect(s).toBeCloseTo(reference.s[i]!, 12));
  });

  it('vectors at full rank: the spectrum of the target, the vectors of the reference', () => {
    const { weight, orthogonalityDefect } = revertMatrix(target, reference, { revert: 'singularVectors' });
    thinSvd(weight).s.forEach((s, i) => expect(s).toBeCloseTo(target.s[i]!, 12));
    const { u, vt } = factors(reference);
    expect(difference(weight, multiply(scaleColumns(u, target.s), vt))).toBeLessThan(1e-13);
    expect(orthogonalityDefect).toBeLessThan(1e-12);
  });

  it('both at full rank is the reference; paperCompatible makes vectors do that too', () => {
    const both = revertMatrix(target, reference, { revert: 'both' }).weight;
    expect(difference(both, reference.weight)).toBeLessThan(1e-14);
    const paper = revertMatrix(target, reference, { revert: 'singularVectors', paperCompatible: true }).weight;
    expect(difference(paper, reference.weight)).toBeLessThan(1e-14);
    const topOnly = { revert: 'singularVectors', ranks: { top: 3 } } as const;
    const partial = revertMatrix(target, reference, { ...topOnly, paperCompatible: true }).weight;
    expect(partial.data).toEqual(revertMatrix(target, reference, topOnly).weight.data);
    // top and bottom together reach the full rank, as in the published scripts
    const covering = { revert: 'singularVectors', ranks: { top: 5, bottom: 99 }, paperCompatible: true } as const;
    expect(difference(revertMatrix(target, reference, covering).weight, reference.weight)).toBeLessThan(1e-14);
    expect(
      difference(revertMatrix(target, reference, { revert: 'singularVectors' }).weight, reference.weight),
    ).toBeGreaterThan(1e-3);
  });

  it('top-k keeps the triplets of the rest, and reports that the mixed vectors are not orthonormal', () => {
    const { weight, orthogonalityDefect, selected } = revertMatrix(target, reference, {
      revert: 'singularVectors',
      ranks: { top: 3 },
    });
    expect(selected).toEqual([0, 1, 2]);
    let sum = new Float64Array(rows * columns);
    for (let r = 0; r < target.rank; r++) {
      const from = r < 3 ? reference : target;
      sum = sum.map((x, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns];
        return x + target.s[r]! * from.u[i * from.rank + r]! * from.vt[r * columns + j]!;
      });
    }
    expect(difference(weight, { rows, columns, data: sum })).toBeLessThan(1e-13);
    expect(orthogonalityDefect).toBeGreaterThan(1e-3);
    expect(
      revertMatrix(target, reference, { revert: 'singularValues', ranks: { top: 3 } }).orthogonalityDefect,
    ).toBeLessThan(1e-12);
  });

  it.each(revertKinds)('%s: disjoint ranks add up', (revert) => {
    const whole = revertMatrix(target, reference, { revert }).change;
    const thirds: RankSelection[] = [{ top: 3 }, { band: [3, 6] }, { bottom: target.rank - 6 }];
    const parts = thirds.map((ranks) => revertMatrix(target, reference, { revert, ranks }).change);
    const sum = whole.data.map((_, i) => parts.reduce((total, part) => total + part.data[i]!, 0));
    expect(difference(whole, { rows, columns, data: sum })).toBeLessThan(1e-13);
  });

  it.each(revertKinds)('%s: sign flips of the singular vectors change nothing', (revert) => {
    for (const ranks of [undefined, { top: 4 }, { bottom: 2 }]) {
      const plain = revertMatrix(target, reference, { revert, ranks }).weight;
      const flipped = revertMatrix(signsFlipped(target), signsFlipped(reference), { revert, ranks }).weight;
      expect(difference(plain, flipped)).toBeLessThan(1e-14);
    }
  });
});

describe('reversion of a planted change', () => {
  it('a rotation of the vectors comes back as angles and is undone by vectors, not by values', () => {
    const reference = decompose(gaussian(20, 20, 'planted'));
    const angle = 0.2;
    // turns u_0 towards u_10; the leading five span an angle of exactly that, and no other
    const { u, vt } = factors(reference);
    const turned = u.data.slice();
    for (let i = 0; i < 20; i++) {
      const [x, y] = [u.data[i * 20]!, u.data[i * 20 + 10]!];
      turned[i * 20] = Math.cos(angle) * x + Math.sin(angle) * y;
      turned[i * 20 + 10] = Math.cos(angle) * y - Math.sin(angle) * x;
    }
    const target = decompose(multiply(scaleColumns({ ...u, data: turned }, reference.s), vt));
    const { left, right } = principalAnglesRad(reference, target, 5);
    expect(left.anglesRad[4]).toBeCloseTo(angle, 12);
    expect(left.anglesRad[3]).toBeLessThan(1e-12);
    expect(right.anglesRad[4]).toBeLessThan(1e-12);
    expect(
      difference(revertMatrix(target, reference, { revert: 'singularVectors' }).weight, reference.weight),
    ).toBeLessThan(1e-12);
    expect(
      difference(revertMatrix(target, reference, { revert: 'singularValues' }).weight, target.weight),
    ).toBeLessThan(1e-12);
  });

  it('needs equal shapes', () => {
    const [a, b] = [decompose(gaussian(4, 6, 'a')), decompose(gaussian(6, 4, 'b'))];
    expect(() => revertMatrix(a, b, { revert: 'both' })).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });
});

describe('selection of ranks', () => {
  it('is clamped to what the matrix has; parts overlap without counting twice', () => {
    expect(selectRanks(4)).toEqual([0, 1, 2, 3]);
    expect(selectRanks(4, { top: 99 })).toEqual([0, 1, 2, 3]);
    expect(selectRanks(5, { top: 2, bottom: 1 })).toEqual([0, 1, 4]);
    expect(selectRanks(5, { top: 3, bottom: 4 })).toEqual([0, 1, 2, 3, 4]);
    expect(selectRanks(5, { band: [1, 3] })).toEqual([1, 2]);
    expect(() => selectRanks(5, { top: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    expect(() => selectRanks(5, { bottom: 1.5 })).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});

describe('orthonormal Q', () => {
  it('is the planted basis', () => {
    const q = signFixedQ(gaussian(7, 7, 'q'));
    expect(difference(signFixedQ(q), q)).toBeLessThan(1e-14);
  });
});
