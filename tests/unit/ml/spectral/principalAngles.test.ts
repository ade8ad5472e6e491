import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { decompose } from '../../../../main/ml/spectral/decompose.ts';
import { multiply, signFixedQ, type Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';
import {
  forcedZeroCount,
  principalAnglesRad,
  randomSubspaceAnglesRad,
  subspaceAngles,
} from '../../../../main/ml/spectral/principalAngles.ts';

function gaussian(rows: number, columns: number, ...key: string[]): Matrix {
  return { rows, columns, data: Float64Array.from(new Philox(...key).gaussians(rows * columns)) };
}

/** The first k axes of R^d, and the same with axis i turned towards axis k + i by angles[i]. */
function plantedPair(d: number, angles: number[]): [Matrix, Matrix] {
  const k = angles.length;
  const a: Matrix = { rows: d, columns: k, data: new Float64Array(d * k) };
  const b: Matrix = { rows: d, columns: k, data: new Float64Array(d * k) };
  angles.forEach((angle, i) => {
    a.data[i * k + i] = 1;
    b.data[i * k + i] = Math.cos(angle);
    b.data[(k + i) * k + i] = Math.sin(angle);
  });
  return [a, b];
}

describe('principal angles', () => {
  it('come back as they were planted, whatever the bases', () => {
    const planted = [0, 1e-12, 3e-9, 2e-5, 0.1, Math.PI / 4, 1.2, Math.PI / 2];
    const [a, b] = plantedPair(20, planted);
    const turn = (m: Matrix, key: string): Matrix => multiply(m, signFixedQ(gaussian(8, 8, key)));
    const everywhere = signFixedQ(gaussian(20, 20, 'space'));
    const { anglesRad, forcedZeros, trivial } = subspaceAngles(
      multiply(everywhere, turn(a, 'left')),
      multiply(everywhere, turn(b, 'right')),
    );
    expect({ forcedZeros, trivial }).toEqual({ forcedZeros: 0, trivial: false });
    // arccos alone would lose everything below 1.5e-8
    planted.forEach((angle, i) => expect(Math.abs(anglesRad[i]! - angle)).toBeLessThanOrEqual(2e-15 + 1e-9 * angle));
  });

  it('ignore signs and order of the vectors', () => {
    const [a, b] = plantedPair(12, [0.3, 0.7, 1.1]);
    const mirrored = { ...b, data: b.data.map((x, i) => (i % 3 === 1 ? -x : x)) };
    expect([...subspaceAngles(a, mirrored).anglesRad]).toEqual([...subspaceAngles(a, b).anglesRad]);
  });

  it('mark what is forced: 2k - d zeros, and a subspace that is the whole space', () => {
    expect(forcedZeroCount(1024, 768)).toBe(512);
    expect(forcedZeroCount(10, 5)).toBe(0);
    const [a, b] = [signFixedQ(gaussian(10, 7, 'a')), signFixedQ(gaussian(10, 7, 'b'))];
    const { anglesRad, forcedZeros, trivial } = subspaceAngles(a, b);
    expect(forcedZeros).toBe(4);
    expect([...anglesRad.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(anglesRad[4]).toBeGreaterThan(0.01);
    expect(trivial).toBe(false);
  });

  it('are trivial on the short side only, at full rank', () => {
    const reference = decompose(gaussian(6, 15, 'wide', 'a'));
    const target = decompose(gaussian(6, 15, 'wide', 'b'));
    const { rank, left, right } = principalAnglesRad(reference, target, 99);
    expect(rank).toBe(6);
    expect(left.trivial).toBe(true);
    expect(left.anglesRad.every((angle) => angle === 0)).toBe(true);
    expect(right.trivial).toBe(false);
    expect(right.anglesRad[0]).toBeGreaterThan(0.01);
  });
});

describe('the null of random subspaces', () => {
  it('starts about arccos(2 sqrt(a (1 - a))), 30 degrees at a = k/d = 1/4', () => {
    const angles = randomSubspaceAnglesRad(160, 40, 10, 0);
    const smallestDeg = (angles[0]! * 180) / Math.PI;
    expect(smallestDeg).toBeGreaterThan(29);
    expect(smallestDeg).toBeLessThan(34);
    expect((angles[39]! * 180) / Math.PI).toBeGreaterThan(85);
  });

  it('is what two independent random subspaces give', () => {
    const mean = new Float64Array(5);
    for (let draw = 0; draw < 400; draw++) {
      const [a, b] = [
        signFixedQ(gaussian(12, 5, 'one', String(draw))),
        signFixedQ(gaussian(12, 5, 'two', String(draw))),
      ];
      subspaceAngles(a, b).anglesRad.forEach((angle, i) => (mean[i]! += angle / 400));
    }
    const expected = randomSubspaceAnglesRad(12, 5, 400, 1);
    // standard deviation of an angle about 0.15, of the difference of two means of 400 about 0.011
    mean.forEach((angle, i) => expect(Math.abs(angle - expected[i]!)).toBeLessThan(0.04));
  });

  it('repeats with the seed, is zero where trivial', () => {
    expect(randomSubspaceAnglesRad(9, 3, 2, 5)).toEqual(randomSubspaceAnglesRad(9, 3, 2, 5));
    expect(randomSubspaceAnglesRad(9, 3, 2, 5)).not.toEqual(randomSubspaceAnglesRad(9, 3, 2, 6));
    expect([...randomSubspaceAnglesRad(4, 4, 3, 0)]).toEqual([0, 0, 0, 0]);
  });
});
