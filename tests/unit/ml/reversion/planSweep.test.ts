/** Which points a sweep has, and in which order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sweepSettingsSchema } from '../../../../main/contract/sweeps.ts';
import type { SweepPoint } from '../../../../main/contract/sweeps.ts';
import {
  defaultLayerCounts,
  defaultRankCounts,
  planSweep,
  type SweepShape,
} from '../../../../main/ml/reversion/planSweep.ts';

const miniature: SweepShape = { layers: [0, 1, 2], largestRank: 64 };
const bare = { controls: { scrambled: 0, rotation: 0, noise: 0 }, dose: false, ceiling: false };

function plan(sweep: object, pairs = 1, shape = miniature): SweepPoint[] {
  return planSweep(sweepSettingsSchema.parse({ sweep: { kind: 'reversion', ...sweep } }), pairs, shape).points;
}

/** "vectors scrambled 0" */
const nameOf = ({ edit, own, control, replicate }: SweepPoint): string =>
  [edit, own, control, replicate].filter((part) => part !== undefined).join(' ');

describe('counts scaled to the model', () => {
  it("are the paper's for its models", () => {
    expect(defaultLayerCounts(40)).toEqual([5, 10, 15, 20, 25, 30, 35, 40]);
    expect(defaultRankCounts(4096)).toEqual([64, 256, 512, 768, 1024, 1536, 2048, 2560, 3072, 3584, 4096]);
    expect(defaultRankCounts(3584)).toEqual([64, 256, 512, 768, 1024, 1536, 2048, 2560, 3072, 3584]);
    expect(defaultRankCounts(896)).toEqual([64, 256, 512, 768, 896]);
    expect(defaultRankCounts(64)).toEqual([1, 4, 8, 12, 16, 24, 32, 40, 48, 56, 64]);
    expect(defaultLayerCounts(3)).toEqual([1, 2, 3]);
  });

  it('ascend, end with everything, and are a handful, whatever the model', () => {
    const size = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), size, (layers, rank) => {
        for (const [counts, all] of [
          [defaultLayerCounts(layers), layers],
          [defaultRankCounts(rank), rank],
        ] as const) {
          expect(counts.at(-1)).toBe(all);
          expect(counts.every((count, i) => count > (counts[i - 1] ?? 0))).toBe(true);
          expect(counts.length).toBeLessThanOrEqual(13);
        }
      }),
    );
  });
});

describe('a plan', () => {
  it('begins with the own accuracies, then edits, ceilings, doses, replicates', () => {
    const controls = { scrambled: 2, rotation: 1, noise: 0 };
    expect(plan({ axes: ['whole'], controls }).map(nameOf)).toEqual([
      'none target',
      'none reference',
      'singularValues',
      'singularVectors',
      'both',
      'singularValues dose',
      'singularVectors dose',
      'singularValues scrambled 0',
      'singularVectors scrambled 0',
      'singularValues rotation 0',
      'singularVectors rotation 0',
      'singularValues scrambled 1',
      'singularVectors scrambled 1',
    ]);
  });

  it('has both as an edit or as the ceiling, never twice, and no dose of it', () => {
    const points = plan({ reverts: ['both'], axes: ['whole'], controls: bare.controls });
    expect(points.map(nameOf)).toEqual(['none target', 'none reference', 'both']);
  });

  it.each([
    ['first', [1, 2, 3], [[0], [0, 1], null]],
    ['last', [1, 2, 3], [[2], [1, 2], null]],
    ['each', [0, 1, 2], [[0], [1], [2]]],
    ['set', [3], [null]],
  ] as const)('layers, %s', (layerMode, ks, layers) => {
    const points = plan({ ...bare, reverts: ['singularVectors'], axes: ['layers'], layerMode }).slice(2);
    expect(points.map(({ k }) => k)).toEqual(ks);
    expect(points.map((point) => point.layers)).toEqual(layers);
    expect(points.every(({ ranks }) => ranks === null)).toBe(true);
  });

  it.each([
    ['top', [{ top: 16 }, { top: 48 }, null]],
    ['bottom', [{ bottom: 16 }, { bottom: 48 }, null]],
    ['band', [{ band: [0, 16] }, { band: [16, 48] }, { band: [48, 64] }]],
  ] as const)('ranks, %s, clamped to the largest matrix', (rankMode, ranks) => {
    const rankCounts = [48, 16, 4096, 64];
    const points = plan({ ...bare, reverts: ['singularVectors'], axes: ['ranks'], rankMode, rankCounts }).slice(2);
    expect(points.map((point) => point.ranks)).toEqual(ranks);
    expect(points.map(({ k }) => k)).toEqual([16, 48, 64]);
  });

  it('a grid crosses every layer with the top ranks', () => {
    const points = plan({ ...bare, reverts: ['singularVectors'], axes: ['grid'], rankCounts: [8, 64] }).slice(2);
    expect(points.map(({ k, layers, ranks }) => [k, layers, ranks])).toEqual(
      [0, 1, 2].flatMap((layer) => [
        [layer, [layer], { top: 8 }],
        [layer, [layer], null],
      ]),
    );
  });

  it('numbers layers as the model does, where others lie between', () => {
    const shape = { layers: [0, 2, 4], largestRank: 64 };
    const layersOf = (sweep: object) =>
      plan({ ...bare, reverts: ['both'], axes: ['layers'], ...sweep }, 1, shape)
        .slice(2)
        .map(({ layers }) => layers);
    expect(layersOf({ layerCounts: [2] })).toEqual([[0, 2]]);
    expect(layersOf({ layerMode: 'set', layerCounts: [2, 4] })).toEqual([[2, 4]]);
    expect(() => layersOf({ layerMode: 'each', layerCounts: [1] })).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', message: 'There is nothing to edit in layer 1.' }),
    );
  });

  it('has every pair; no point twice', () => {
    const points = plan({ axes: ['whole', 'layers', 'ranks', 'grid'] }, 3);
    const texts = points.map((point) => JSON.stringify(point));
    expect(new Set(texts).size).toBe(texts.length);
    const ofPair = (pair: number): SweepPoint[] => points.filter((point) => point.pair === pair);
    expect(ofPair(1).map((point) => ({ ...point, pair: 0 }))).toEqual(ofPair(0));
    expect(points.slice(0, 6).every(({ axis }) => axis === 'own')).toBe(true);
  });

  it('an interpolation leaves out its ends, which are the own accuracies', () => {
    const settings = sweepSettingsSchema.parse({ sweep: { kind: 'interpolation', alphas: [1, 0.5, 0, 0.25, 0.5] } });
    const { points } = planSweep(settings, 2, miniature);
    expect(points.slice(4).map(({ pair, axis, alpha }) => [pair, axis, alpha])).toEqual([
      [0, 'path', 0.25],
      [0, 'path', 0.5],
      [1, 'path', 0.25],
      [1, 'path', 0.5],
    ]);
  });
});
