import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NewFile } from '../../../main/compute/newFile.ts';
import { Philox } from '../../../main/ml/random/philox.ts';

/** On a disk, and (on Linux) in memory, where there are no direct writes. */
const places = [tmpdir(), '/dev/shm'].filter((folder) => existsSync(folder));
const folders = places.map((place) => mkdtempSync(join(place, 'rotascope-new-file-')));
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const content = (length: number): Uint8Array => new Uint8Array(new Philox('new file', length).uniforms(length).map((x) => 256 * x)); // prettier-ignore
const large = 9 * 2 ** 20 + 77;

describe.each(folders)('a new file in %s', (folder) => {
  // around the blocks of the disk, and the memory that is written at once (4 MiB)
  it.each([64, 4095, 4096, 4097, 2 ** 20, 2 ** 22, 2 ** 22 + 1, large])('holds %d bytes', async (length) => {
    const path = join(folder, `bytes-${length}`);
    const bytes = content(length);
    const file = await NewFile.create(path, length);
    const cuts = [0, Math.min(64, length / 4), Math.floor(length / 3), length];
    for (let i = 1; i < cuts.length; i++) await file.append(bytes.subarray(cuts[i - 1], cuts[i]));
    const head = Uint8Array.of(1, 2, 3);
    await file.finish(head);
    bytes.set(head);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    await file.flush();
  });

  it.each([10, large])('of %d bytes never replaces one that is there', async (length) => {
    const path = join(folder, 'there');
    writeFileSync(path, 'mine');
    await expect(NewFile.create(path, length)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('refuses a head longer than what was written', async () => {
    const file = await NewFile.create(join(folder, 'short'), 3);
    await file.append(Uint8Array.of(1, 2, 3));
    await expect(file.finish(new Uint8Array(4))).rejects.toThrow(RangeError);
    await file.close();
  });
});
