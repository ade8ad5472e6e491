import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { startTensorHash } from '../../../../main/ml/checkpoints/tensorHash.ts';
import { widenToFloat32 } from '../../../../main/ml/safetensors/dtypes.ts';
import { writeSafetensors } from '../../../../main/ml/safetensors/writer.ts';
import { openTensorSource } from '../../../../main/ml/spectral/tensorSource.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const folder = temporaryFolder('source');
const q = 'model.layers.0.self_attn.q_proj.weight';

/** One file with a matrix of 2.3 million elements, which takes several reads in every dtype. */
async function checkpoint(dtype: 'F32' | 'F16' | 'BF16'): Promise<{ path: string }> {
  const path = mkdtempSync(join(folder, dtype));
  const values = new Philox('tensorSource').gaussians(1500 * 1533);
  const tensors = new Map([
    ['model.layers.1.mlp.down_proj.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    [q, { shape: [1500, 1533], data: values }],
    ['model.layers.0.input_layernorm.weight', { shape: [3], data: Float32Array.of(1, 1, 1) }],
    ['model.layers.0.mlp.up_proj.weight', { shape: [0, 3], data: new Float32Array(0) }],
  ]);
  await writeSafetensors(join(path, 'model.safetensors'), tensors, { dtype });
  return { path };
}

describe('a source of matrices', () => {
  it.each(['F32', 'F16', 'BF16'] as const)(
    'reads %s whole, by rows and in float64, the same numbers',
    async (dtype) => {
      const { path } = await checkpoint(dtype);
      const source = await openTensorSource(path);
      const plain = await openCheckpoint(path);
      const expected = widenToFloat32(dtype, await plain.readBytes(q));
      expect(source.shape(q)).toEqual([1500, 1533]);
      const whole = await source.read(q);
      expect(whole).toEqual({ rows: 1500, columns: 1533, data: expected });
      const rows = await source.readRows(q, 1490, 10);
      expect(rows).toEqual({ rows: 10, columns: 1533, data: expected.slice(1490 * 1533) });
      const long = new Float64Array(1400 * 1533);
      await source.readInto(q, 100, long);
      expect(long).toEqual(Float64Array.from(expected.subarray(100 * 1533)));
      await expect(source.readRows(q, 1495, 6)).rejects.toThrow(RangeError);
      await Promise.all([source.close(), plain.close()]);
    },
  );

  it('lists its targets by layer and matrix, over shards too', async () => {
    const source = await openTensorSource('tests/fixtures/tiny-llama-sharded');
    expect(source.targets).toHaveLength(21);
    expect(source.targets.slice(0, 8).map(({ layer, matrix }) => `${layer}${matrix}`)).toEqual(
      ['0q', '0k', '0v', '0gate', '0up', '0down', '0o', '1q'],
    ); // prettier-ignore
    const whole = await openTensorSource('tests/fixtures/tiny-llama');
    for (const { name } of source.targets) expect(await source.read(name)).toEqual(await whole.read(name));
    await Promise.all([source.close(), whole.close()]);
  });

  it('hashes what is stored, or takes hashes that are known', async () => {
    const { path } = await checkpoint('BF16');
    const plain = await openCheckpoint(path);
    const tensor = plain.tensors.get(q)!;
    const expected = startTensorHash(tensor)
      .update(await plain.readBytes(q))
      .digest('hex');
    await plain.close();
    const source = await openTensorSource(path);
    expect(await source.hash(q)).toBe(expected);
    const told = await openTensorSource(path, [[q, 'known']]);
    expect(await told.hash(q)).toBe('known');
    expect(await told.hash('model.layers.1.mlp.down_proj.weight')).toMatch(/^[0-9a-f]{64}$/);
    await Promise.all([source.close(), told.close()]);
  });

  it('names what is not a matrix or not there', async () => {
    const { path } = await checkpoint('F16');
    const source = await openTensorSource(path);
    const fault = (name: string): unknown => {
      try {
        return source.shape(name);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(fault('model.layers.0.input_layernorm.weight')).toBe('SHAPE_MISMATCH');
    expect(fault('model.layers.0.mlp.up_proj.weight')).toBe('SHAPE_MISMATCH');
    expect(fault('model.layers.9.mlp.up_proj.weight')).toBe('NOT_FOUND');
    await expect(source.read('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(source.hash('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await source.close();
  });
});
