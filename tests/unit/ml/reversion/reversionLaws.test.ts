/** The laws of reversion over random shapes, ranks and matrices, in both precisions and with both pairings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RealArray } from '../../../../main/compute/lapack.ts';
import { precisionSchema, type Precision } from '../../../../main/contract/spectral.ts';
import { pairingSchema, revertKinds } from '../../../../main/contract/sweeps.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { alignReference, pairingBlocks } from '../../../../main/ml/reversion/alignReference.ts';
import { revertMatrix } from '../../../../main/ml/reversion/revertMatrix.ts';
import { decompose, factors, scaleColumns, type Decomposition } from '../../../../main/ml/spectral/decompose.ts';
import {
  frobeniusNorm,
  multiply,
  orthogonalityDefect,
  signFixedQ,
  subtract,
  takeColumns,
  thinSvd,
  toPrecision,
  transposed,
  type Matrix,
} from '../../../../main/ml/spectral/linearAlgebra.ts';

/** Rounding of one decomposition and one product of matrices of up to 24 ranks, relative to the norm. */
const rounding: Record<Precision, number> = { float32: 5e-6, float64: 1e-13 };

const shape = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }));
const seed = fc.integer({ min: 0, max: 1e9 });
const count = fc.integer({ min: 0, max: 24 });
const ranks = fc.oneof(
  fc.constant(null),
  fc.record({ top: count, bottom: count }, { requiredKeys: [] }),
  fc.tuple(count, count).map(([a, b]) => ({ band: [Math.min(a, b), Math.max(a, b)] as [number, number] })),
);

const precisions = precisionSchema.options;
const pairings = pairingSchema.options;
const cases = precisions.flatMap((precision) => pairings.map((pairing) => [precision, pairing] as const));

function gaussian(rows: number, columns: number, ...key: (string | number)[]): Matrix {
  return { rows, columns, data: Float64Array.from(new Philox(...key).gaussians(rows * columns)) };
}

/** A matrix and the same after a small fine-tuning. */
function pairOf([rows, columns]: [number, number], key: number, precision: Precision) {
  const reference = gaussian(rows, columns, 'reference', key);
  const step = gaussian(rows, columns, 'step', key);
  const moved = reference.data.map((w, i) => w + 0.1 * step.data[i]!);
  return {
    reference: decompose(reference, precision) as Decomposition<RealArray>,
    target: decompose({ rows, columns, data: moved }, precision) as Decomposition<RealArray>,
  };
}

const apart = (a: Matrix<RealArray>, b: Matrix<RealArray>): number => frobeniusNorm(subtract(a, b).data);
const sizeOf = (of: Decomposition<RealArray>): number => Math.max(1e-30, frobeniusNorm(of.weight.data));

/** The same matrix by another SVD: random common signs of its triplets. */
function signsFlipped<T extends RealArray>(of: Decomposition<T>, key: number): Decomposition<T> {
  const random = new Philox('signs', key);
  const signs = Array.from({ length: of.rank }, () => (random.int(2) === 0 ? 1 : -1));
  const u = of.u.slice() as T;
  const vt = of.vt.slice() as T;
  for (let i = 0; i < u.length; i++) u[i]! *= signs[i % of.rank]!;
  for (let i = 0; i < vt.length; i++) vt[i]! *= signs[Math.floor(i / of.columns)]!;
  return { ...of, u, vt };
}

describe.each(cases)('reversion in %s, paired by %s', (precision, pairing) => {
  const tolerance = rounding[precision];

  it('nothing selected is the target bit for bit, whatever is reverted', () => {
    fc.assert(
      fc.property(shape, seed, fc.constantFrom(...revertKinds), (size, key, revert) => {
        const { target, reference } = pairOf(size, key, precision);
        for (const nothing of [{}, { top: 0 }, { band: [3, 3] as [number, number] }]) {
          const { weight, change, orthogonalityDefect: defect } = revertMatrix(target, reference, { revert, ranks: nothing, pairing }); // prettier-ignore
          expect(weight.data).toEqual(target.weight.data);
          expect(change.data.every((x) => x === 0)).toBe(true);
          expect(defect).toBe(target.orthogonality);
        }
      }),
    );
  });

  it('vectors at full rank keep the singular values of the target; values take those of the reference', () => {
    fc.assert(
      fc.property(shape, seed, (size, key) => {
        const { target, reference } = pairOf(size, key, precision);
        const spectrum = (revert: (typeof revertKinds)[number]) =>
          thinSvd(toPrecision(revertMatrix(target, reference, { revert, pairing }).weight, 'float64')).s;
        const close = (found: RealArray, wanted: RealArray): void =>
          found.forEach((s, i) => expect(Math.abs(s - wanted[i]!)).toBeLessThanOrEqual(tolerance * sizeOf(target)));
        close(spectrum('singularVectors'), target.s);
        close(spectrum('singularValues'), reference.s);
        close(spectrum('both'), reference.s);
      }),
    );
  });

  it('signs of singular vectors change nothing', () => {
    fc.assert(
      fc.property(shape, seed, fc.constantFrom(...revertKinds), ranks, (size, key, revert, selection) => {
        const { target, reference } = pairOf(size, key, precision);
        const edit = { revert, ranks: selection, pairing };
        const plain = revertMatrix(target, reference, edit);
        const flipped = revertMatrix(signsFlipped(target, key), signsFlipped(reference, key + 1), edit);
        // where a block of close values is turned, its SVD may lose digits to a small gap of the overlap
        const loss = pairing === 'procrustes' ? 1e3 : 1;
        expect(apart(plain.weight, flipped.weight)).toBeLessThanOrEqual(loss * tolerance * sizeOf(target));
      }),
    );
  });

  it('disjoint ranks add up to the whole', () => {
    fc.assert(
      fc.property(shape, seed, fc.constantFrom(...revertKinds), count, (size, key, revert, cut) => {
        const { target, reference } = pairOf(size, key, precision);
        const changeOf = (selection: object) =>
          revertMatrix(target, reference, { revert, ranks: selection, pairing }).change;
        const top = changeOf({ top: Math.min(cut, target.rank) });
        const bottom = changeOf({ bottom: Math.max(0, target.rank - cut) });
        const sum = { ...top, data: top.data.map((x, i) => x + bottom.data[i]!) };
        const whole = revertMatrix(target, reference, { revert, pairing }).change;
        expect(apart(sum, whole)).toBeLessThanOrEqual(4 * tolerance * sizeOf(target));
      }),
    );
  });

  it('the defect is that of the mixed vectors themselves', () => {
    fc.assert(
      fc.property(shape, seed, ranks, (size, key, selection) => {
        const { target, reference } = pairOf(size, key, precision);
        const edit = { revert: 'singularVectors', ranks: selection, pairing } as const;
        const { selected, orthogonalityDefect: defect } = revertMatrix(target, reference, edit);
        const from = pairing === 'procrustes' ? alignReference(target, reference) : reference;
        const mixed = (side: (of: Decomposition<RealArray>) => Matrix<RealArray>): Matrix =>
          toPrecision(mixColumns(side(from), side(target), selected), 'float64');
        const left = orthogonalityDefect(mixed((of) => factors(of).u));
        const right = orthogonalityDefect(mixed((of) => transposed(factors(of).vt)));
        expect(Math.abs(defect - Math.max(left, right))).toBeLessThanOrEqual(1e2 * tolerance);
      }),
    );
  });

  it('paperCompatible copies the reference once every rank is selected, and only then', () => {
    fc.assert(
      fc.property(shape, seed, count, (size, key, top) => {
        const { target, reference } = pairOf(size, key, precision);
        const edit = { revert: 'singularVectors', ranks: { top }, pairing } as const;
        const { weight } = revertMatrix(target, reference, { ...edit, paperCompatible: true });
        if (top >= target.rank) expect(apart(weight, reference.weight)).toBeLessThanOrEqual(tolerance * sizeOf(target));
        else expect(weight.data).toEqual(revertMatrix(target, reference, edit).weight.data);
      }),
    );
  });
});

function mixColumns(from: Matrix<RealArray>, to: Matrix<RealArray>, selected: number[]): Matrix<RealArray> {
  const data = to.data.slice();
  for (let i = 0; i < to.rows; i++) for (const j of selected) data[i * to.columns + j] = from.data[i * to.columns + j]!;
  return { ...to, data };
}

describe('Procrustes pairing', () => {
  it('is pairing by index where every value stands apart', () => {
    const { u, vt } = factors(decompose(gaussian(12, 12, 'apart')));
    const s = Float64Array.from({ length: 12 }, (_, i) => 12 - i);
    const reference = decompose(multiply(scaleColumns(u, s), vt));
    const moved = decompose(gaussian(12, 12, 'turn'));
    const turned = signFixedQ({ ...u, data: u.data.map((x, i) => x + 0.05 * moved.u[i]!) });
    const target = decompose(multiply(scaleColumns(turned, s), vt));
    expect(pairingBlocks(target.s, reference.s)).toEqual(Array.from({ length: 12 }, (_, i) => [i, i + 1]));
    for (const ranks of [null, { top: 5 }, { band: [3, 7] as [number, number] }]) {
      const [aligned, plain] = (['procrustes', 'index'] as const).map(
        (pairing) => revertMatrix(target, reference, { revert: 'singularVectors', ranks, pairing }).weight,
      );
      expect(aligned!.data).toEqual(plain!.data);
    }
  });

  /** Values with runs of equal ones; the same matrix by an SVD whose vectors are turned within them. */
  function degenerate(key: number, precision: Precision) {
    const rows = 10;
    const s = [5, 5, 5, 3, 2, 2, 1.5, 1, 1, 0.5];
    const { u, vt } = factors(decompose(gaussian(rows, 14, 'degenerate', key)));
    const weight = toPrecision(multiply(scaleColumns(u, Float64Array.from(s)), vt), precision) as Matrix<RealArray>;
    const of = (left: Matrix, right: Matrix): Decomposition<RealArray> => ({
      rows,
      columns: 14,
      rank: rows,
      u: toPrecision(left, precision).data,
      s: toPrecision({ rows: 1, columns: rows, data: Float64Array.from(s) }, precision).data,
      vt: toPrecision(right, precision).data,
      weight,
      residual: 0,
      orthogonality: 0,
    });
    const turn = blockTurn(s, key);
    const step = gaussian(rows, 14, 'degenerate step', key);
    const moved = { ...weight, data: weight.data.map((w, i) => w + 0.02 * step.data[i]!) };
    return {
      reference: of(u, vt),
      turned: of(multiply(u, turn), multiply(turn, vt, { a: true })),
      target: decompose(moved, precision) as Decomposition<RealArray>,
    };
  }

  function blockTurn(s: number[], key: number): Matrix {
    const turn = { rows: s.length, columns: s.length, data: new Float64Array(s.length ** 2) };
    for (let from = 0; from < s.length;) {
      const size = s.filter((value) => value === s[from]).length;
      const q = signFixedQ(gaussian(size, size, 'turn', key, from));
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) turn.data[(from + i) * s.length + from + j] = q.data[i * size + j]!;
      from += size;
    }
    return turn;
  }

  it.each(precisions)('rotations of the reference within equal values change nothing (%s)', (precision) => {
    fc.assert(
      fc.property(seed, ranks, (key, selection) => {
        const { reference, turned, target } = degenerate(key, precision);
        const edit = { revert: 'singularVectors', ranks: selection } as const;
        const weight = (of: Decomposition<RealArray>, pairing: 'index' | 'procrustes') =>
          revertMatrix(target, of, { ...edit, pairing }).weight;
        const tolerance = 1e3 * rounding[precision] * sizeOf(target);
        expect(apart(weight(reference, 'procrustes'), weight(turned, 'procrustes'))).toBeLessThanOrEqual(tolerance);
      }),
      { numRuns: 50 },
    );
    // by index they do
    const { reference, turned, target } = degenerate(1, precision);
    const plain = [reference, turned].map((of) => revertMatrix(target, of, { revert: 'singularVectors', ranks: { top: 2 } }).weight); // prettier-ignore
    expect(apart(plain[0]!, plain[1]!)).toBeGreaterThan(0.1);
  });

  it('pairs each direction with the one that it became when two values have crossed', () => {
    const { u, vt } = factors(decompose(gaussian(8, 8, 'crossing')));
    const valued = (second: number, third: number): Decomposition =>
      decompose(multiply(scaleColumns(u, Float64Array.of(9, second, third, 6, 5, 4, 3, 2)), vt));
    const [reference, target] = [valued(7, 6.9), valued(6.8, 7.2)];
    // no vector has turned, so that reverting vectors has nothing to do; by index it swaps two of them
    const change = (pairing: 'index' | 'procrustes'): number =>
      frobeniusNorm(revertMatrix(target, reference, { revert: 'singularVectors', pairing }).change.data);
    expect(change('procrustes')).toBeLessThan(1e-12);
    expect(change('index')).toBeGreaterThan(0.1);
  });

  it('keeps the bases orthonormal and their spans within each block', () => {
    const { reference, target } = pairOf([24, 16], 3, 'float64');
    const aligned = alignReference(target, reference);
    expect(orthogonalityDefect(factors(aligned).u)).toBeLessThan(1e-12);
    for (const [from, to] of pairingBlocks(target.s, reference.s)) {
      const block = Array.from({ length: to - from }, (_, i) => from + i);
      const [a, b] = [aligned, reference].map((of) => {
        const part = takeColumns(factors(of).u, block);
        return multiply(part, part, { b: true });
      });
      expect(apart(a!, b!)).toBeLessThan(1e-11);
    }
  });
});
