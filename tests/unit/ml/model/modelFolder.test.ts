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
