import { describe, expect, it } from 'vitest';
import { matrixComparisonSchema } from '../../../../main/contract/studyResult.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { CheckpointDecompositions } from '../../../../main/ml/spectral/checkpointDecompositions.ts';
import { compareCheckpoints } from '../../../../main/ml/spectral/compareMatrices.ts';
import { parseTargetWeight, selectLayers, targetWeights } from '../../../../main/ml/spectral/targetWeights.ts';

type WeightMap = Map<string, { shape: number[]; data: Float32Array }>;

function tinyWeights(key: string): WeightMap {
  const weights: WeightMap = new Map();
  const add = (name: string, ...shape: number[]): void => {
    const size = shape.reduce((a, b) => a * b, 1);
    weights.set(name, { shape, data: new Philox(key, name).gaussians(size) });
  };
  add('model.embed_tokens.weight', 11, 8);
  for (const layer of [1, 0]) {
    add(`model.layers.${layer}.mlp.down_proj.weight`, 8, 20);
    add(`model.layers.${layer}.self_attn.q_proj.weight`, 8, 8);
    add(`model.layers.${layer}.self_attn.k_proj.weight`, 4, 8);
    add(`model.layers.${layer}.self_attn.o_proj.weight`, 8, 8);
    add(`model.layers.${layer}.input_layernorm.weight`, 8);
  }
  return weights;
}

const settings = {
  matrices: ['q', 'k', 'v', 'gate', 'up', 'down'] as const,
  angleRankShare: 0.5,
  angleNullDraws: 3,
  seed: 0,
};

describe('target weights', () => {
  it('are found by name, in layers of every family, not in a vision tower', () => {
    expect(parseTargetWeight('model.layers.12.self_attn.q_proj.weight')).toMatchObject({ layer: 12, matrix: 'q' });
    expect(parseTargetWeight('language_model.model.layers.3.mlp.gate_proj.weight')).toMatchObject({
      layer: 3,
      matrix: 'gate',
    });
    expect(parseTargetWeight('vision_model.transformer.layers.0.self_attn.q_proj.weight')).toBeNull();
    expect(parseTargetWeight('model.layers.1.cross_attn.q_proj.weight')).toBeNull();
    expect(parseTargetWeight('model.layers.0.self_attn.q_proj.bias')).toBeNull();
    expect(parseTargetWeight('lm_head.weight')).toBeNull();
  });

  it('come by layer, then in the order asked for; layers by first, last or set', () => {
    const names = (layers?: number[]) =>
      targetWeights(tinyWeights('a'), { matrices: ['k', 'q'], layers }).map((t) => `${t.layer}${t.matrix}`);
    expect(names()).toEqual(['0k', '0q', '1k', '1q']);
    expect(names([1])).toEqual(['1k', '1q']);
    expect(selectLayers(5, { first: 2 })).toEqual([0, 1]);
    expect(selectLayers(5, { last: 2 })).toEqual([3, 4]);
    expect(selectLayers(5, { last: 0 })).toEqual([]);
    expect(selectLayers(5, { set: [9, 4, 0] })).toEqual([0, 4]);
  });
});

describe('comparison of two checkpoints', () => {
  it('has the shape of the contract and covers every target', () => {
    const [reference, target] = [
      new CheckpointDecompositions(tinyWeights('a')),
      new CheckpointDecompositions(tinyWeights('b')),
    ];
    const seen: number[] = [];
    const matrices = compareCheckpoints(reference, target, settings, (done) => seen.push(done));
    expect(matrices.map((m) => `${m.layer}${m.matrix}`)).toEqual(['0q', '0k', '0down', '1q', '1k', '1down']);
    for (const matrix of matrices) matrixComparisonSchema.parse(matrix);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    const k = matrices[1]!;
    expect(k.shape).toEqual([4, 8]);
    expect(k.angles).toMatchObject({ rank: 2, leftForcedZeros: 0, rightForcedZeros: 0 });
    // planes of R^8 lie farther apart than planes of R^4
    expect(k.angles.rightNullRad[0]).toBeGreaterThan(k.angles.leftNullRad[0]! + 0.1);
  });

  it('finds nothing between a checkpoint and itself', () => {
    const weights = tinyWeights('a');
    const [first] = compareCheckpoints(
      new CheckpointDecompositions(weights),
      new CheckpointDecompositions(weights),
      settings,
    );
    expect(first!.relativeChange).toBe(0);
    expect(first!.sTarget).toEqual(first!.sReference);
    expect(Math.max(...first!.angles.leftRad)).toBeLessThan(1e-14);
    expect(first!.valueEnergyShare).toBe(0);
    expect(Math.max(...first!.deltaSigmaNull.map(Math.abs))).toBeLessThan(1e-12);
  });

  it('prepares on threads of its own with the same numbers, and stops when asked', async () => {
    const weights = tinyWeights('a');
    const names = targetWeights(weights, settings).map(({ name }) => name);
    const [prepared, lazy] = [new CheckpointDecompositions(weights), new CheckpointDecompositions(weights)];
    await prepared.prepare(names, { concurrency: 2 });
    for (const name of names) expect(prepared.of(name)).toEqual(lazy.of(name));
    const stopped = new CheckpointDecompositions(weights).prepare(names, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('names the weight that is missing or not finite', () => {
    const weights = tinyWeights('a');
    const name = 'model.layers.0.self_attn.q_proj.weight';
    weights.get(name)!.data[5] = NaN;
    const decompositions = new CheckpointDecompositions(weights);
    expect(() => decompositions.of(name)).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE', message: expect.stringContaining(name) as string }),
    );
    expect(() => decompositions.of('absent.weight')).toThrow(/absent\.weight/);
    expect(() => decompositions.of('model.layers.0.input_layernorm.weight')).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});
