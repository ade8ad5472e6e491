import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { decompose, factors, scaleColumns } from '../../../../main/ml/spectral/decompose.ts';
import { frobeniusNorm, multiply, type Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';
import {
  deltaSigma,
  energySplit,
  entropyRank,
  randomChangeDeltaSigma,
  restorationAlignment,
  smallestRelativeGap,
  stableRank,
} from '../../../../main/ml/spectral/spectrum.ts';

function gaussian(rows: number, columns: number, ...key: string[]): Matrix {
  return { rows, columns, data: Float64Array.from(new Philox(...key).gaussians(rows * columns)) };
}

describe('spectra', () => {
  it('delta sigma is the planted change, and such a change is all value energy', () => {
    const reference = decompose(gaussian(9, 6, 'reference'));
    const planted = reference.s.map((_, i) => 0.01 * (i + 1) * (i % 2 === 0 ? 1 : -1));
    const { u, vt } = factors(reference);
    const target = decompose(
      multiply(
        scaleColumns(
          u,
          reference.s.map((s, i) => s + planted[i]!),
        ),
        vt,
      ),
    );
    deltaSigma(reference, target).forEach((change, i) => expect(change).toBeCloseTo(planted[i]!, 12));
    expect(energySplit(reference, target).valueShare).toBeCloseTo(1, 12);
  });

  it('the energy split of a random change is about its null, 1 / max(m, n)', () => {
    const reference = decompose(gaussian(80, 50, 'reference'));
    const noise = gaussian(80, 50, 'change').data;
    const target = decompose({ ...reference.weight, data: reference.weight.data.map((w, i) => w + 0.01 * noise[i]!) });
    const { valueShare, valueShareNull } = energySplit(reference, target);
    expect(valueShareNull).toBe(1 / 80);
    // a sum of 50 squares out of 4000: its relative standard deviation is sqrt(2 / 50) = 0.2
    expect(valueShare / valueShareNull).toBeGreaterThan(0.3);
    expect(valueShare / valueShareNull).toBeLessThan(1.9);
  });

  it('the random change has the wanted norm and repeats', () => {
    const reference = decompose(gaussian(12, 12, 'reference'));
    expect(randomChangeDeltaSigma(reference, 0.5, ['w'])).toEqual(randomChangeDeltaSigma(reference, 0.5, ['w']));
    // Weyl: no singular value moves by more than the spectral norm, which is at most the Frobenius norm
    const small = randomChangeDeltaSigma(reference, 1e-3, ['w']);
    expect(Math.max(...small.map(Math.abs))).toBeLessThanOrEqual(1e-3);
    expect(Math.max(...small.map(Math.abs))).toBeGreaterThan(1e-5);
    expect(frobeniusNorm(randomChangeDeltaSigma(reference, 0, ['w']))).toBeLessThan(1e-13);
  });

  it('restoration alignment: 1 for a full undo, -1 for more of the same, null without a change', () => {
    const [forgot, peak] = [gaussian(6, 5, 'forgot').data, gaussian(6, 5, 'peak').data];
    const toward = (share: number): Float64Array => forgot.map((w, i) => w + share * (peak[i]! - w));
    expect(restorationAlignment(toward(0.3), forgot, peak).cosine).toBeCloseTo(1, 12);
    expect(restorationAlignment(toward(-2), forgot, peak).cosine).toBeCloseTo(-1, 12);
    expect(restorationAlignment(forgot, forgot, peak)).toEqual({ cosine: null, nullBand: 2 / Math.sqrt(30) });
    const unrelated = forgot.map((w, i) => w + gaussian(6, 5, 'unrelated').data[i]!);
    expect(Math.abs(restorationAlignment(unrelated, forgot, peak).cosine!)).toBeLessThan(0.6);
  });

  it('ranks and gaps', () => {
    const ones = Float64Array.of(2, 2, 2, 0);
    expect(stableRank(ones)).toBeCloseTo(3, 12);
    expect(entropyRank(ones)).toBeCloseTo(3, 12);
    expect(smallestRelativeGap(ones)).toBe(0);
    expect(smallestRelativeGap(Float64Array.of(4, 2, 1.5))).toBe(0.25);
    expect(smallestRelativeGap(Float64Array.of(4))).toBe(1);
    // a null space says nothing about pairing
    expect(smallestRelativeGap(Float64Array.of(4, 2, 1e-17, 1e-17))).toBe(0.5);
    const zero = new Float64Array(3);
    expect([stableRank(zero), entropyRank(zero), smallestRelativeGap(zero)]).toEqual([0, 0, 1]);
  });
});
