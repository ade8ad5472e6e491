import { describe, expect, it } from 'vitest';
import { matrixCurvesSchema, matrixSummarySchema } from '../../../../main/contract/spectral.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { scaleColumns } from '../../../../main/ml/spectral/decompose.ts';
import { frobeniusNorm, multiply, signFixedQ, type Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { widenToFloat32, encodeFloats } from '../../../../main/ml/safetensors/dtypes.ts';
import { compareOnDisk, onDisk } from './onDisk.ts';

function gaussian(rows: number, columns: number, ...key: string[]): Matrix {
  return { rows, columns, data: Float64Array.from(new Philox(...key).gaussians(rows * columns)) };
}

const plus = (a: Matrix, b: Matrix, scale = 1): Matrix => ({
  ...a,
  data: a.data.map((x, i) => x + scale * b.data[i]!),
});

/** u [rows, r] diag(s) (v [columns, r])^T */
const product = (u: Matrix, s: number[], v: Matrix): Matrix => multiply(scaleColumns(u, s), v, { b: true });

/** The first columns turned towards as many later ones by these angles. */
function turned(basis: Matrix, angles: readonly number[]): Matrix {
  const data = basis.data.slice();
  const [r, k] = [basis.columns, angles.length];
  for (let row = 0; row < basis.rows; row++)
    angles.forEach((angle, i) => {
      const [x, y] = [basis.data[row * r + i]!, basis.data[row * r + k + i]!];
      data[row * r + i] = Math.cos(angle) * x + Math.sin(angle) * y;
      data[row * r + k + i] = Math.cos(angle) * y - Math.sin(angle) * x;
    });
  return { ...basis, data };
}

/** The same span of the first k columns in another basis, so that neither A^T B nor its transpose is diagonal. */
function mixed(basis: Matrix, k: number, key: string): Matrix {
  const q = signFixedQ(gaussian(k, k, 'mix', key));
  const data = basis.data.slice();
  for (let row = 0; row < basis.rows; row++)
    for (let j = 0; j < k; j++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += basis.data[row * basis.columns + i]! * q.data[i * k + j]!;
      data[row * basis.columns + j] = sum;
    }
  return { ...basis, data };
}

const planted = [0, 2e-4, 0.01, 0.2, Math.PI / 4, 1.3];
/** Well apart, so that rounding the weights to float32 turns no vector by more than 1e-6. */
const values = Array.from({ length: 20 }, (_, i) => 40 - 1.5 * i);

describe.each([
  ['float64', 3e-6],
  ['float32', 3e-5],
] as const)('planted rotations, %s', (precision, tolerance) => {
  it.each([
    ['wide', 20, 34],
    ['tall', 34, 20],
    ['square', 20, 20],
  ] as const)('come back as principal angles of a %s matrix', async (_, rows, columns) => {
    const [u, v] = [signFixedQ(gaussian(rows, 20, 'u')), signFixedQ(gaussian(columns, 20, 'v'))];
    const halved = planted.toReversed().map((angle) => angle / 2);
    const reference = await onDisk(product(u, values, v));
    const [uTarget, vTarget] = [mixed(turned(u, planted), 6, 'u'), mixed(turned(v, halved), 6, 'v')];
    const target = await onDisk(product(uTarget, values, vTarget));
    const { summary, curves } = await compareOnDisk({ reference, target }, { precision, angleRank: { rank: 6 } });
    planted.forEach((angle, i) => {
      expect(Math.abs(curves.leftRad[i]! - angle), `left ${i}`).toBeLessThan(tolerance);
      expect(Math.abs(curves.rightRad[i]! - angle / 2), `right ${i}`).toBeLessThan(tolerance);
    });
    expect(summary.maxAbsDeltaSigma).toBeLessThan(40 * tolerance);
    expect(summary.angleRank).toBe(6);
    expect(summary.meanLeftAngleRad).toBeCloseTo(planted.reduce((a, b) => a + b) / 6, 4);
    matrixSummarySchema.parse({ ...summary, durationMs: 0 });
    matrixCurvesSchema.parse(curves);
  });
});

describe('a comparison', () => {
  it('of a change in values alone: energy share 1, no angles, the planted delta sigma', async () => {
    const [u, v] = [signFixedQ(gaussian(30, 20, 'u')), signFixedQ(gaussian(20, 20, 'v'))];
    const moved = values.map((s, i) => s + 0.05 * Math.sin(i));
    const reference = await onDisk(product(u, values, v));
    const { summary, curves } = await compareOnDisk({ reference, target: await onDisk(product(u, moved, v)) });
    expect(summary.valueEnergyShare).toBeCloseTo(1, 5);
    expect(summary.meanLeftAngleRad).toBeLessThan(1e-6);
    expect(summary.meanRightAngleRad).toBeLessThan(1e-6);
    curves.sTarget.forEach((s, i) => expect(s - curves.sReference[i]!).toBeCloseTo(moved[i]! - values[i]!, 5));
    expect(summary.pairingUnstable).toBe(false);
    expect(summary.maxAbsDeltaSigma).toBeCloseTo(0.05 * Math.max(...values.map((_, i) => Math.abs(Math.sin(i)))), 5);
  });

  it.each([
    [90, 60],
    [50, 110],
  ])(
    'of a random change of [%i, %i]: energy share about 1 / max(m, n), delta sigma about its null',
    async (rows, columns) => {
      const w = gaussian(rows, columns, 'w');
      const target = await onDisk(plus(w, gaussian(rows, columns, 'change'), 0.01));
      const { summary } = await compareOnDisk({ reference: await onDisk(w), target });
      expect(summary.valueEnergyNull).toBe(1 / Math.max(rows, columns));
      // a sum of min(m, n) squares out of mn: relative standard deviation sqrt(2 / min) = 0.2
      expect(summary.valueEnergyShare / summary.valueEnergyNull).toBeGreaterThan(0.3);
      expect(summary.valueEnergyShare / summary.valueEnergyNull).toBeLessThan(1.9);
      // means of some 50 nearly independent values: 10 % each
      expect(summary.meanAbsDeltaSigma / summary.meanAbsDeltaSigmaNull!).toBeGreaterThan(0.6);
      expect(summary.meanAbsDeltaSigma / summary.meanAbsDeltaSigmaNull!).toBeLessThan(1.7);
      expect(summary.relativeChange).toBeCloseTo(0.01, 3);
      expect(summary.changedShare).toBe(1);
      // 1 % of a unit normal against half a bfloat16 step, 0.2 to 0.4 % of the entry: most, not all
      expect(summary.changedAboveBf16Share).toBeGreaterThan(0.6);
      expect(summary.changedAboveBf16Share).toBeLessThan(0.95);
    },
  );

  it('of a checkpoint with itself: zeros, and no null', async () => {
    const w = gaussian(12, 18, 'w');
    const { summary, curves } = await compareOnDisk({ reference: await onDisk(w), target: await onDisk(w) });
    expect(summary).toMatchObject({
      changeNorm: 0,
      relativeChange: 0,
      maxAbsDeltaSigma: 0,
      meanAbsDeltaSigma: 0,
      meanAbsDeltaSigmaNull: null,
      meanLeftAngleRad: 0,
      meanRightAngleRad: 0,
      valueEnergyShare: 0,
      changedShare: 0,
      changedAboveBf16Share: 0,
      pairingUnstable: false,
      restorationCosine: null,
      restorationNullBand: null,
    });
    expect([...curves.leftRad, ...curves.rightRad, ...curves.deltaSigmaNull].every((x) => x === 0)).toBe(true);
    expect(summary.meanLeftNullRad).toBeGreaterThan(0.1);
  });

  it('marks what is forced and what is trivial', async () => {
    const sources = { reference: await onDisk(gaussian(6, 16, 'a')), target: await onDisk(gaussian(6, 16, 'b')) };
    const full = await compareOnDisk(sources, { angleRank: { rank: 99 } });
    expect(full.summary).toMatchObject({ angleRank: 6, leftForcedZeros: 6, rightForcedZeros: 0 });
    expect(full.summary).toMatchObject({ meanLeftAngleRad: null, meanLeftNullRad: null });
    expect(full.summary.meanRightAngleRad).toBeGreaterThan(0.3);
    const part = await compareOnDisk(sources, { angleRank: { rank: 4 } });
    expect(part.summary).toMatchObject({ leftForcedZeros: 2, rightForcedZeros: 0 });
    expect(part.curves.leftRad.slice(0, 2)).toEqual([0, 0]);
    expect(part.summary.meanLeftAngleRad).toBeCloseTo((part.curves.leftRad[2]! + part.curves.leftRad[3]!) / 2, 12);
  });

  it('restoration: -1 for more of the same, 1 for going back, null where there is nothing to go back to', async () => {
    const [forgot, peak] = [gaussian(9, 7, 'forgot'), gaussian(9, 7, 'peak')];
    const toward = (share: number): Promise<Awaited<ReturnType<typeof onDisk>>> =>
      onDisk(plus(forgot, plus(peak, forgot, -1), share));
    const [reference, restoration] = [await onDisk(forgot), await onDisk(peak)];
    const cosine = async (share: number): Promise<number | null> =>
      (await compareOnDisk({ reference, target: await toward(share), restoration })).summary.restorationCosine;
    expect(await cosine(-0.5)).toBeCloseTo(-1, 6);
    expect(await cosine(0.3)).toBeCloseTo(1, 6);
    const { summary } = await compareOnDisk({ reference, target: restoration, restoration: reference });
    expect(summary.restorationCosine).toBe(null);
    expect(summary.restorationNullBand).toBe(2 / Math.sqrt(63));
  });

  it('the bfloat16 floor is what rounding makes, measured where it was not rounded yet', async () => {
    const w = gaussian(64, 80, 'w');
    const data = Float32Array.from(w.data);
    const rounded = widenToFloat32('BF16', encodeFloats('BF16', data));
    const measured = frobeniusNorm(rounded.map((x, i) => x - data[i]!)) / frobeniusNorm(data);
    const reference = await onDisk(w);
    const { summary } = await compareOnDisk({ reference, target: await onDisk(w, 'BF16') });
    expect(summary.relativeChange / measured).toBeCloseTo(1, 5);
    expect(summary.bf16Floor / measured).toBeCloseTo(1, 5);
    expect(measured).toBeGreaterThan(0.0015);
    expect(measured).toBeLessThan(0.0019);
    // rounding moves an entry by half a step at most
    expect(summary.changedAboveBf16Share).toBe(0);
    expect(summary.changedShare).toBeGreaterThan(0.99);
    const stored = await compareOnDisk({ reference: await onDisk(w, 'BF16'), target: reference });
    expect(stored.summary.bf16Floor / measured).toBeGreaterThan(0.97);
    expect(stored.summary.bf16Floor / measured).toBeLessThan(1.03);
  });

  it('counts changes above half a bfloat16 step', async () => {
    // around 1 the step is 2^-7 = 0.0078, around 0.5 it is half of that, around 0 anything is above it
    const before = [1, 1, 1, 1, 0.5, 0.5, 0, 0];
    const changes = [0.0038, -0.004, 0.0077, 0, 0.0019, 0.002, 1e-9, 0];
    const matrix = (data: number[]): Matrix => ({ rows: 2, columns: 4, data: Float64Array.from(data) });
    const reference = await onDisk(matrix(before));
    const target = await onDisk(matrix(before.map((w, i) => w + changes[i]!)));
    const { summary } = await compareOnDisk({ reference, target });
    expect(summary.changedShare).toBe(6 / 8);
    expect(summary.changedAboveBf16Share).toBe(4 / 8);
  });

  it('says where pairing by index is unstable, and where the values are closest', async () => {
    const [u, v] = [signFixedQ(gaussian(12, 5, 'u')), signFixedQ(gaussian(9, 5, 'v'))];
    const reference = await onDisk(product(u, [9, 7, 5, 4.9, 1], v));
    const swapped = await onDisk(product(u, [9, 7, 4.8, 5.05, 1], v));
    const { summary } = await compareOnDisk({ reference, target: swapped }, { precision: 'float32' });
    expect(summary.smallestGapIndex).toBe(2);
    expect(summary.smallestRelativeGap).toBeCloseTo(0.02, 4);
    expect(summary.pairingUnstable).toBe(true);
    const near = await onDisk(product(u, [9, 7, 5.03, 4.9, 1], v));
    expect((await compareOnDisk({ reference, target: near }, { precision: 'float32' })).summary.pairingUnstable).toBe(
      false,
    );
  });

  it('is the same when it is read in blocks', async () => {
    // two rows to a block, then one; the right vectors share no entry, which makes them orthonormal
    const columns = 3 * 233_333;
    const data = new Float64Array(3 * columns);
    for (let i = 0; i < columns; i++) data[i * 3 + (i % 3)] = 1 / Math.sqrt(233_333);
    const [u, v] = [signFixedQ(gaussian(3, 3, 'u')), { rows: columns, columns: 3, data }];
    const reference = await onDisk(product(u, [900, 500, 200], v));
    const target = await onDisk(product(u, [910, 495, 205], v));
    const { summary } = await compareOnDisk({ reference, target });
    expect(summary.changeNorm).toBeCloseTo(Math.sqrt(150), 3);
    expect(summary.valueEnergyShare).toBeCloseTo(1, 4);
    expect(summary.changedShare).toBeGreaterThan(0.99);
  });

  it('names the weight that is not finite', async () => {
    const w = gaussian(5, 6, 'w');
    const sources = { reference: await onDisk(w), target: await onDisk({ ...w, data: w.data.with(7, NaN) }) };
    await expect(compareOnDisk(sources)).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringContaining('down_proj') as string,
    });
  });
});
