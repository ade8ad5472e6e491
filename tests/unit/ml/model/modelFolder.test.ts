/** Models read from and written to folders: same values, same files, and nothing lost that the model does not read. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, openCompute } from '../../../../main/compute/compute.ts';
import { openCheckpoint } from '../../../../main/ml/checkpoints/openCheckpoint.ts';
import { loadModel, saveModel } from '../../../../main/ml/model/modelFolder.ts';
import { weightCatalogue } from '../../../../main/ml/model/weights.ts';

const folders = ['tiny-llama', 'tiny-llama-sharded', 'tiny-qwen2', 'tiny-qwen3', 'tiny-mllama'];
const fixture = (folder: string): string => `tests/fixtures/${folder}`;

let compute: Compute;
let scratch: string;
beforeAll(async () => {
  compute = await openCompute();
  scratch = await mkdtemp(join(tmpdir(), 'rotascope-models-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test.each(folders)('%s: loaded as it is stored, and saved byte for byte the same', async (folder) => {
  const model = await loadModel(compute, fixture(folder));
  const checkpoint = await openCheckpoint(fixture(folder));
  try {
    for (const { name } of weightCatalogue(model.config))
      expect(await model.session.read(name), name).toEqual(await checkpoint.read(name));
  } finally {
    await checkpoint.close();
  }
  const saved = join(scratch, folder);
  await saveModel(saved, model, fixture(folder));
  model.dispose();
  const names = (await readdir(fixture(folder))).filter((name) => name !== 'config.v4.json').sort();
  expect((await readdir(saved)).sort()).toEqual(names);
  for (const name of names)
    expect((await readFile(join(saved, name))).equals(await readFile(join(fixture(folder), name))), name).toBe(true);
});

test('a changed weight is saved rounded to the stored type; the vision tower stays as it was', async () => {
  const model = await loadModel(compute, fixture('tiny-mllama'));
  const norm = 'language_model.model.norm.weight';
  const changed = (await model.session.read(norm)).map((_, i) => 1 + i / 4096);
  await model.session.write(norm, changed);
  const saved = join(scratch, 'changed');
  await saveModel(saved, model, fixture('tiny-mllama'));
  model.dispose();
  const [before, after] = await Promise.all([openCheckpoint(fixture('tiny-mllama')), openCheckpoint(saved)]);
  try {
    expect(after.tensors.get(norm)!.dtype).toBe('BF16');
    // bfloat16 has 8 bits of significand: steps of 2^-7 above 1
    (await after.read(norm)).forEach((value, i) => expect(Math.abs(value - changed[i]!)).toBeLessThanOrEqual(2 ** -8));
    for (const name of before.tensors.keys())
      if (name !== norm)
        expect(Buffer.from(await after.readBytes(name)).equals(await before.readBytes(name))).toBe(true);
  } finally {
    await Promise.all([before.close(), after.close()]);
  }
});

/** Every weight of a model nudged by a share of itself, and those values as the model then has them. */
async function nudged(folder: string, share: number) {
  const model = await loadModel(compute, fixture(folder));
  const weights = new Map<string, Float32Array>();
  for (const { name } of weightCatalogue(model.config)) {
    const values = await model.session.read(name);
    await model.session.write(name, values.map((w) => w * (1 + share))); // prettier-ignore
    weights.set(name, Float32Array.from(await model.session.read(name)));
  }
  return { model, weights };
}

test.each(folders)(
  '%s: saved as F32 every weight is bit for bit what the model has, and is read so',
  async (folder) => {
    // Far below what bfloat16 can hold.
    const { model, weights } = await nudged(folder, 2 ** -20 / 3);
    const saved = join(scratch, `${folder}-f32`);
    await saveModel(saved, model, fixture(folder), { dtype: 'F32' });
    model.dispose();
    const [before, after] = await Promise.all([openCheckpoint(fixture(folder)), openCheckpoint(saved)]);
    try {
      expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
      for (const [name, { dtype, shape }] of after.tensors) {
        expect(dtype).toBe('F32');
        expect(shape).toEqual(before.tensors.get(name)!.shape);
        const bits = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer => Buffer.from(buffer, byteOffset, byteLength); // prettier-ignore
        // What the model does not read is widened, which changes no value.
        const expected = weights.get(name) ?? (await before.read(name));
        expect(bits(await after.read(name)).equals(bits(expected)), name).toBe(true);
      }
      const text = await readFile(join(saved, 'config.json'), 'utf8');
      expect(text).toContain('float32');
      expect(text).not.toContain('bfloat16');
      if (folder === 'tiny-llama-sharded') {
        const index = await readFile(join(saved, 'model.safetensors.index.json'), 'utf8');
        const bytes = [...after.tensors.values()].reduce((sum, { begin, end }) => sum + end - begin, 0);
        expect(JSON.parse(index)).toMatchObject({ metadata: { total_size: bytes } });
      }
    } finally {
      await Promise.all([before.close(), after.close()]);
    }
    const again = await loadModel(compute, saved);
    for (const [name, values] of weights) expect(await again.session.read(name), name).toEqual(values);
    again.dispose();
  },
);

test('in the type of the base, changes below half a step of bfloat16 are lost, and larger ones are not', async () => {
  const changedShare = async (share: number): Promise<number> => {
    const { model, weights } = await nudged('tiny-qwen2', share);
    const saved = join(scratch, `nudged-${share}`);
    await saveModel(saved, model, fixture('tiny-qwen2'), { dtype: 'same' });
    model.dispose();
    const [before, after] = await Promise.all([openCheckpoint(fixture('tiny-qwen2')), openCheckpoint(saved)]);
    let [changed, all] = [0, 0];
    for (const name of weights.keys()) {
      const [old, now] = [await before.read(name), await after.read(name)];
      old.forEach((w, i) => {
        if (w === 0) return;
        all++;
        if (w !== now[i]) changed++;
      });
    }
    await Promise.all([before.close(), after.close()]);
    return changed / all;
  };
  // Half a step is between 2^-9 and 2^-8 of a weight, by where it stands between two powers of two.
  expect(await changedShare(2 ** -9.01)).toBe(0);
  const between = await changedShare(2 ** -8.5);
  expect(between).toBeGreaterThan(0.2);
  expect(between).toBeLessThan(0.8);
  expect(await changedShare(2 ** -7.99)).toBe(1);
});
