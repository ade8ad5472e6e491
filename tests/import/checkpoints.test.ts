/** Real checkpoints, as transformers writes them: accepted with architecture, size and tensor table, value for value. */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeCheckpoint } from '../../main/ml/checkpoints/describeCheckpoint.ts';
import { inspectPaths } from '../../main/ml/checkpoints/inspectPaths.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { type FixtureTensor, fixturePath, hasFixture, readJson, readTensors } from '../parity/fixtures.ts';

const names = ['tiny-llama', 'tiny-llama-sharded', 'tiny-qwen2'];
const shardsOf = (name: string): string[] =>
  readdirSync(fixturePath(name)).filter((file) => file.endsWith('.safetensors'));

/** By the tests' own reader. */
function expectedTensors(name: string): Map<string, FixtureTensor> {
  return new Map(shardsOf(name).flatMap((file) => [...readTensors(name, file)]));
}

for (const name of names) {
  const present = hasFixture(name);
  if (!present) console.warn(`Skipped: ${fixturePath(name)} does not exist.`);
  describe.skipIf(!present)(name, () => {
    const folder = fixturePath(name);

    it('is accepted, with architecture and size', async () => {
      const config = readJson<{ architectures: string[]; model_type: string }>(name, 'config.json');
      const shards = shardsOf(name);
      const expected = expectedTensors(name);
      const bytes = shards.reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
      const parameters = [...expected.values()].reduce((sum, { data }) => sum + data.length, 0);
      const architecture = config.architectures[0]!;

      const summary = { architecture, parameters, bytes, tensors: expected.size, files: shards.length };
      const [verdict, ...others] = await inspectPaths([folder]);
      expect(others).toEqual([]);
      expect(verdict).toMatchObject({ path: folder, verdict: 'accepted', code: 'accepted', warnings: [], summary });
      expect(verdict!.text).toContain(architecture);

      const description = await describeCheckpoint(folder);
      expect(description).toMatchObject({ ...summary, name, folder, modelType: config.model_type });
      expect(description.hasTokenizer).toBe(readdirSync(folder).includes('tokenizer.json'));
      expect(description.config).toEqual(config);
      expect(description.headerHash).toMatch(/^[0-9a-f]{64}$/);
      const table = description.tensorTable.map(({ name: tensor, shape }) => [tensor, shape]);
      expect(new Map(table as [string, number[]][])).toEqual(
        new Map([...expected].map(([key, { shape }]) => [key, shape])),
      );
    });

    it('holds the values of the files, bit for bit', async () => {
      const checkpoint = await openCheckpoint(folder);
      const weights = await checkpoint.readAll();
      await checkpoint.close();
      const expected = expectedTensors(name);
      expect([...weights.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [tensor, { data }] of weights) expect(differingAt(data, expected.get(tensor)!.data), tensor).toBe(-1);
    });

    it('is one checkpoint, whichever of its files are dropped', async () => {
      const [whole] = await inspectPaths([folder]);
      const files = readdirSync(folder).filter((file) => /\.safetensors(\.index\.json)?$/.test(file));
      for (const file of files) {
        const dropped = path.join(folder, file);
        expect(await inspectPaths([dropped])).toEqual([{ ...whole, path: dropped }]);
      }
      const all = files.map((file) => path.join(folder, file));
      expect(await inspectPaths([folder, ...all, folder])).toEqual([whole]);
      expect(await inspectPaths([...all, folder])).toEqual([{ ...whole, path: all[0] }]);
    });
  });
}

describe.skipIf(!hasFixture('tiny-llama') || !hasFixture('tiny-llama-sharded'))('tiny-llama-sharded', () => {
  it("holds exactly tiny-llama's values", async () => {
    const [whole, sharded] = await Promise.all([
      openCheckpoint(fixturePath('tiny-llama')),
      openCheckpoint(fixturePath('tiny-llama-sharded')),
    ]);
    const [expected, found] = await Promise.all([whole.readAll(), sharded.readAll()]);
    await Promise.all([whole.close(), sharded.close()]);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [tensor, { shape, data }] of expected) {
      expect(found.get(tensor)!.shape, tensor).toEqual(shape);
      expect(differingAt(found.get(tensor)!.data, data), tensor).toBe(-1);
    }
  });
});

describe.skipIf(!hasFixture('tiny-llama-sharded'))('a damaged copy of a sharded checkpoint', () => {
  let parent = '';
  let folder = '';
  const shard = (): string => path.join(folder, shardsOf('tiny-llama-sharded')[1]!);
  beforeAll(() => {
    parent = mkdtempSync(path.join(tmpdir(), 'rotascope-import-'));
  });
  afterAll(() => rmSync(parent, { recursive: true, force: true }));
  const freshCopy = (name: string): string => {
    folder = path.join(parent, name);
    cpSync(fixturePath('tiny-llama-sharded'), folder, { recursive: true });
    return folder;
  };

  it('is refused when a shard is missing; its neighbour is still accepted', async () => {
    rmSync((freshCopy('missing'), shard()));
    const good = fixturePath('tiny-llama-sharded');
    const verdicts = await inspectPaths([folder, good]);
    expect(verdicts.map(({ path: at, code }) => [at, code])).toEqual([
      [folder, 'missing_shard'],
      [good, 'accepted'],
    ]);
    expect(verdicts[0]!.text).toContain(path.basename(shard()));
  });

  it('is refused when a shard is cut off, with both sizes', async () => {
    freshCopy('cut');
    const whole = readFileSync(shard());
    rmSync(shard());
    writeFileSync(shard(), whole.subarray(0, whole.length - 1_000));
    const [verdict] = await inspectPaths([folder]);
    expect(verdict).toMatchObject({ verdict: 'rejected', code: 'out_of_range' });
    expect(verdict!.text).toMatch(/expected [\d,]+ bytes of data for ".+", found [\d,]+\. Copy/);
  });

  it('is refused without its index', async () => {
    freshCopy('noindex');
    rmSync(path.join(folder, 'model.safetensors.index.json'));
    const [verdict] = await inspectPaths([folder]);
    expect(verdict).toMatchObject({ verdict: 'rejected', code: 'missing_index' });
    const [ofShard] = await inspectPaths([shard()]);
    expect(ofShard).toMatchObject({ verdict: 'rejected', code: 'missing_index' });
  });

  it('is refused when two shards are the same file', async () => {
    freshCopy('doubled');
    copyFileSync(path.join(folder, shardsOf('tiny-llama-sharded')[0]!), shard());
    const [verdict] = await inspectPaths([folder]);
    expect(verdict).toMatchObject({ verdict: 'rejected', code: 'duplicate_tensor' });
  });
});

/** First index at which two arrays differ (NaN equals NaN, 0 differs from -0); -1 when nowhere. */
function differingAt(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}
