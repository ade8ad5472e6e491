/** The nulls that curves are read against: their limit laws beside exact draws. */
import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { angleNullRad, limitAnglesRad } from '../../../../main/ml/spectral/angleNull.ts';
import { thinSvd, type Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { randomSubspaceAnglesRad } from '../../../../main/ml/spectral/principalAngles.ts';
import { randomChangeOfSpectrum } from '../../../../main/ml/spectral/randomChange.ts';

describe('the law of angles between random subspaces', () => {
  it.each([
    [256, 64],
    [256, 128],
    [256, 20],
    [300, 200],
  ])('is what exact draws tend to: d = %i, k = %i', (d, k) => {
    const law = limitAnglesRad(d, k);
    const drawn = randomSubspaceAnglesRad(d, k, 6, 0);
    // one step of the law's own ladder, and the fluctuation of the edges
    const spacing = Math.PI / 2 / Math.min(k, d - k);
    for (let i = 0; i < k; i++) expect(Math.abs(law[i]! - drawn[i]!), `angle ${i}`).toBeLessThan(spacing);
    const mean = (values: Float64Array): number => values.reduce((a, b) => a + b) / k;
    expect(Math.abs(mean(law) - mean(drawn))).toBeLessThan(spacing / 4);
  });

  it('begins at arccos(2 sqrt(a (1 - a))): 30 degrees at a quarter', () => {
    const smallest = [64, 512, 4096].map((k) => (limitAnglesRad(4 * k, k)[0]! * 180) / Math.PI);
    expect(smallest[0]! - 30).toBeGreaterThan(smallest[1]! - 30);
    expect(smallest[1]! - 30).toBeGreaterThan(smallest[2]! - 30);
    expect(smallest[2]! - 30).toBeGreaterThan(0);
    expect(smallest[2]! - 30).toBeLessThan(0.2);
    for (const a of [0.05, 0.125, 0.4]) {
      const edge = Math.acos(2 * Math.sqrt(a * (1 - a)));
      expect(limitAnglesRad(20000, 20000 * a)[0]! - edge).toBeLessThan(0.01);
      expect(limitAnglesRad(20000, 20000 * a)[0]! - edge).toBeGreaterThan(0);
    }
  });

  it('has the density sqrt(sin^2 t - c^2) / (pi a sin t)', () => {
    const [d, k] = [30000, 9000];
    const [a, c] = [0.3, 0.4];
    const angles = limitAnglesRad(d, k);
    for (const t of [0.5, 0.8, 1.1, 1.4]) {
      const inside = angles.filter((angle) => Math.abs(angle - t) < 0.02).length / k / 0.04;
      expect(inside / (Math.sqrt(Math.sin(t) ** 2 - c * c) / (Math.PI * a * Math.sin(t)))).toBeCloseTo(1, 2);
    }
  });

  it('has the forced zeros, ascends, and is all zeros where trivial', () => {
    const angles = limitAnglesRad(1000, 700);
    expect(angles.subarray(0, 400).every((angle) => angle === 0)).toBe(true);
    expect(angles[400]).toBeGreaterThan(0.1);
    for (let i = 401; i < 700; i++) expect(angles[i]).toBeGreaterThan(angles[i - 1]!);
    expect(angles[699]).toBeLessThan(Math.PI / 2);
    expect(limitAnglesRad(500, 500).every((angle) => angle === 0)).toBe(true);
    expect(angleNullRad(40, 40, 0).every((angle) => angle === 0)).toBe(true);
  });

  it('is drawn for small dimensions, by seed', () => {
    expect(angleNullRad(40, 10, 1)).toEqual(randomSubspaceAnglesRad(40, 10, 16, 1));
    expect(angleNullRad(40, 10, 1)).not.toEqual(angleNullRad(40, 10, 2));
    expect(angleNullRad(1000, 250, 1)).toEqual(limitAnglesRad(1000, 250));
  });
});

describe('the random change of a spectrum', () => {
  const s = Float64Array.from({ length: 12 }, (_, i) => 12 - i * 0.7);
  const zero = new Float64Array(12);

  /** The plain way: diag(s) in a corner of [rows, 12], a whole Gaussian added. */
  function whole(before: Float64Array, rows: number, norm: number, draw: number): Float64Array {
    const noise = new Philox('whole', draw).gaussians(rows * 12);
    const scale = norm / Math.sqrt(noise.reduce((sum, x) => sum + x * x, 0));
    const w: Matrix = { rows, columns: 12, data: Float64Array.from(noise, (x) => x * scale) };
    for (let i = 0; i < 12; i++) w.data[i * 12 + i]! += before[i]!;
    return thinSvd(w).s.map((x, i) => x - before[i]!);
  }

  // 12: square; 15: fewer extra rows than columns; 60: the triangular factor stands for 48 rows.
  // On the zero matrix nothing but the change is seen, down to its smallest singular value.
  it.each([
    [12, 'a spectrum', s],
    [15, 'a spectrum', s],
    [60, 'a spectrum', s],
    [15, 'zero', zero],
    [60, 'zero', zero],
  ])('has the law of a whole Gaussian change, long side %i, on %s', async (long, _, before) => {
    const draws = 300;
    const [mean, meanSquare, plain, plainSquare] = [0, 0, 0, 0].map(() => new Float64Array(12));
    for (let draw = 0; draw < draws; draw++) {
      // either side may be the long one
      const shape = draw % 2 === 0 ? ([long, 12] as const) : ([12, long] as const);
      const reduced = await randomChangeOfSpectrum(before, shape, 3, ['draw', draw]);
      const direct = whole(before, long, 3, draw);
      for (let i = 0; i < 12; i++) {
        mean![i]! += reduced[i]! / draws;
        meanSquare![i]! += reduced[i]! ** 2 / draws;
        plain![i]! += direct[i]! / draws;
        plainSquare![i]! += direct[i]! ** 2 / draws;
      }
    }
    for (let i = 0; i < 12; i++) {
      // four standard errors of the difference of two means of 300
      const variance = meanSquare![i]! - mean![i]! ** 2 + plainSquare![i]! - plain![i]! ** 2;
      expect(Math.abs(mean![i]! - plain![i]!), `mean ${i}`).toBeLessThan(4 * Math.sqrt(variance / draws));
      expect(meanSquare![i]! / plainSquare![i]!, `square ${i}`).toBeGreaterThan(0.65);
      expect(meanSquare![i]! / plainSquare![i]!, `square ${i}`).toBeLessThan(1.5);
    }
  });

  it('repeats with its key; no value moves by more than the norm', async () => {
    const one = await randomChangeOfSpectrum(s, [30, 12], 1e-3, [0, 'w']);
    expect(await randomChangeOfSpectrum(s, [30, 12], 1e-3, [0, 'w'])).toEqual(one);
    expect(await randomChangeOfSpectrum(s, [30, 12], 1e-3, [1, 'w'])).not.toEqual(one);
    expect(Math.max(...one.map(Math.abs))).toBeLessThanOrEqual(1e-3);
    expect(Math.max(...one.map(Math.abs))).toBeGreaterThan(1e-5);
  });
});
