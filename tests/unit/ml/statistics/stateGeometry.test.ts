/** Laws of the bases and distances of hidden states. */
import { describe, expect, it } from 'vitest';
import type { HiddenStatesResult } from '../../../../main/contract/hiddenStates.ts';
import type { PromptStates } from '../../../../main/ml/evaluation/promptStates.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { multiply, signFixedQ, type Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { principalComponents } from '../../../../main/ml/spectral/principalComponents.ts';
import {
  differenceOfDistances,
  pairedDistance,
  promptDraws,
  unpairedDistance,
} from '../../../../main/ml/statistics/centroidDistance.ts';
import { stateGeometry } from '../../../../main/ml/statistics/stateGeometry.ts';

const [prompts, hidden] = [40, 12];
/** Rounding of float32 states, and of sums in another order. */
const rounding = 1e-5;

/** Standard normal around `centre` in the first direction. */
function cloud(key: string, centre: number, rows = prompts, columns = hidden): Matrix<Float32Array> {
  const data = new Philox(key).gaussians(rows * columns);
  for (let i = 0; i < rows; i++) data[i * columns]! += centre;
  return { rows, columns, data };
}
const statesAt = (key: string, centre: number): PromptStates => ({
  inDist: cloud(`${key} ID`, centre),
  ood: cloud(`${key} OOD`, centre + 1),
});
const named = (roles: ('base' | 'peak' | 'end' | 'rlEnd' | null)[]) =>
  roles.map((role, i) => ({ role, contentHash: `hash ${i}` }));
const noPause = (): Promise<void> => Promise.resolve();
const geometry = (states: PromptStates[], seed = 0): Promise<HiddenStatesResult> =>
  stateGeometry(states, named((['base', 'peak', 'end', 'rlEnd'] as const).slice(0, states.length)), { seed }, noPause);

function rotated(states: PromptStates): PromptStates {
  const q = signFixedQ({ rows: hidden, columns: hidden, data: new Philox('rotation').gaussians(hidden * hidden) });
  return { inDist: multiply(states.inDist, q), ood: multiply(states.ood, q) };
}

/** ||mean(a) - mean(b)|| the plain way. */
function plainDistance(a: Matrix<Float32Array>, b: Matrix<Float32Array>): number {
  let square = 0;
  for (let j = 0; j < a.columns; j++) {
    const mean = (m: Matrix<Float32Array>): number =>
      Array.from({ length: m.rows }, (_, i) => m.data[i * m.columns + j]!).reduce((sum, x) => sum + x, 0) / m.rows;
    square += (mean(a) - mean(b)) ** 2;
  }
  return Math.sqrt(square);
}

describe('principal components', () => {
  it('are the eigenvectors of the covariance: worked by hand for points on an ellipse', async () => {
    // variances 2 * 9 / 3 along (1, 1) / sqrt 2 and 2 * 1 / 3 along (1, -1) / sqrt 2
    const r = Math.SQRT1_2;
    const data = Float64Array.of(3 * r, 3 * r, -3 * r, -3 * r, r, -r, -r, r).map((x) => x + 5);
    const { mean, components, variance, explained } = await principalComponents({ rows: 4, columns: 2, data }, 2);
    expect(Array.from(mean)).toEqual([5, 5].map((x) => expect.closeTo(x, 12) as number));
    expect(variance).toEqual([6, 2 / 3].map((x) => expect.closeTo(x, 12) as number));
    expect(explained).toEqual([0.9, 0.1].map((x) => expect.closeTo(x, 12) as number));
    expect(Math.abs(components.data[0]!)).toBeCloseTo(r, 12);
    expect(components.data[0]).toBeCloseTo(components.data[1]!, 12);
    expect(components.data[2]).toBeCloseTo(-components.data[3]!, 12);
  });
  it('of equal rows explain nothing', async () => {
    const { explained, variance } = await principalComponents({ rows: 5, columns: 3, data: new Float32Array(15).fill(2) }, 2); // prettier-ignore
    expect([...explained, ...variance]).toEqual([0, 0, 0, 0]);
  });
});

describe('hidden states of several checkpoints', () => {
  const states = [statesAt('base', 0), statesAt('peak', 2), statesAt('end', 3), statesAt('rl', 6)];

  it('observed distances are those of the centroids in the full space', async () => {
    const { pairs, checkpoints } = await geometry(states);
    expect(pairs.map(({ a, b }) => `${a}${b}`)).toEqual(['01', '02', '12', '03', '13', '23']);
    for (const { a, b, inDist, ood } of pairs) {
      expect(inDist.observed).toBeCloseTo(plainDistance(states[a]!.inDist, states[b]!.inDist), 6);
      expect(ood.observed).toBeCloseTo(plainDistance(states[a]!.ood, states[b]!.ood), 6);
      expect(inDist.low).toBeLessThanOrEqual(inDist.distance);
      expect(inDist.high).toBeGreaterThanOrEqual(inDist.distance);
    }
    checkpoints.forEach(({ betweenSplits }, i) =>
      expect(betweenSplits.observed).toBeCloseTo(plainDistance(states[i]!.inDist, states[i]!.ood), 6),
    );
  });

  it('equal checkpoints are at distance 0 with the interval 0 to 0, and in the same place', async () => {
    const { pairs, checkpoints } = await geometry([states[0]!, states[0]!]);
    const none = { observed: 0, distance: 0, low: 0, high: 0 };
    expect(pairs).toEqual([{ a: 0, b: 1, inDist: none, ood: none }]);
    expect(checkpoints[0]!.points).toEqual(checkpoints[1]!.points);
  });

  it('a rotation of the space changes no distance, no interval and no share, and no picture but for its signs', async () => {
    const [before, after] = [await geometry(states), await geometry(states.map(rotated))];
    const numbersOf = ({ pairs, checkpoints, explained, farther }: HiddenStatesResult): number[] =>
      [pairs, checkpoints.map(({ betweenSplits }) => betweenSplits), explained, farther].flatMap(leaves);
    const turned = numbersOf(after);
    numbersOf(before).forEach((x, i) => expect(Math.abs(x - turned[i]!)).toBeLessThan(rounding));
    const pictures = [before, after].map(({ checkpoints }) => checkpoints.flatMap(({ points }) => leaves(points)));
    pictures[0]!.forEach((x, i) => expect(Math.abs(Math.abs(x) - Math.abs(pictures[1]![i]!))).toBeLessThan(1e-3));
  });

  it('have one basis a split: a difference in the picture is never longer than in the full space', async () => {
    const { checkpoints, pairs } = await geometry(states);
    const centre = (i: number): [number, number] => {
      const { inDist } = checkpoints[i]!.points;
      return [0, 1].map((k) => inDist.reduce((sum, point) => sum + point[k]!, 0) / prompts) as [number, number];
    };
    for (const { a, b, inDist } of pairs) {
      const [p, q] = [centre(a), centre(b)];
      expect(Math.hypot(p[0] - q[0], p[1] - q[1])).toBeLessThanOrEqual(inDist.observed + rounding);
    }
  });

  it('the same seed gives the same numbers, another one other intervals', async () => {
    expect(await geometry(states)).toEqual(await geometry(states));
    const [first, second] = [await geometry(states, 1), await geometry(states, 2)];
    expect(first.pairs[0]!.inDist.distance).toBe(second.pairs[0]!.inDist.distance);
    expect(first.pairs[0]!.inDist.low).not.toBe(second.pairs[0]!.inDist.low);
  });

  it('RL_End farther from the peak than SFT_End is said with its interval, only where all three are there', async () => {
    const { farther } = await geometry(states);
    // 4 and 1 along the first direction
    expect(farther).toMatchObject({ from: 1, near: 2, far: 3 });
    expect(farther!.inDist.low).toBeGreaterThan(1);
    expect(farther!.inDist.high).toBeLessThan(4);
    expect((await geometry(states.slice(0, 3))).farther).toBeNull();
  });
});

describe('intervals of centroid distances', () => {
  const draws = (name: string, n: number) => promptDraws(n, [name], 400);

  it.each([0, 1, 3])('hold the true distance %d of two populations in 95 of 100 cases', (distance) => {
    const [n, trials] = [60, 120];
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const [a, b] = [cloud(`a ${distance} ${trial}`, 0, n), cloud(`b ${distance} ${trial}`, distance, n)];
      const { low, high } = unpairedDistance(a, b, draws('a', n), draws('b', n)).distance;
      if (low <= distance && distance <= high) held++;
    }
    // 95 %, less four standard errors of the simulation and a point for the bootstrap of 60 prompts
    expect(held / trials).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / trials) - 0.01);
  });

  it('are narrower for the same prompts, where what the prompts differ in falls out', () => {
    const a = cloud('prompts', 0);
    const noise = new Philox('noise').gaussians(a.data.length);
    const b = { ...a, data: a.data.map((x, i) => x + 0.1 * noise[i]! + (i % hidden === 0 ? 1 : 0)) };
    const paired = pairedDistance(a, b, draws('a', prompts)).distance;
    const unpaired = unpairedDistance(a, b, draws('a', prompts), draws('b', prompts)).distance;
    expect(paired.observed).toBeCloseTo(unpaired.observed, 6);
    expect(paired.high - paired.low).toBeLessThan(0.3 * (unpaired.high - unpaired.low));
  });

  it('of a difference of two equal distances hold 0', () => {
    const a = cloud('a', 0);
    const one = pairedDistance(a, cloud('b', 2), draws('a', prompts));
    expect(differenceOfDistances(one, one)).toEqual({ difference: 0, low: 0, high: 0 });
  });
});

function leaves(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}
