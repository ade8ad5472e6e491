import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { extractMembers } from '../../../main/bootstrap/wheelArchive.mjs';

/** Written by Python's zipfile, an implementation that is not ours: packed, stored, empty, executable, leaving its folder. */
const write = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    archive.comment = b'PK and more'
    archive.writestr('a/packed.txt', 'packed ' * 50000, zipfile.ZIP_DEFLATED)
    archive.writestr('a/stored.txt', 'stored', zipfile.ZIP_STORED)
    archive.writestr('a/empty', '')
    info = zipfile.ZipInfo('bin/run'); info.external_attr = 0o755 << 16
    archive.writestr(info, 'run')
    archive.writestr('../outside', 'x')
`;

let folder: string;
let archive: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotascope-zip-'));
  archive = join(folder, 'archive.zip');
  expect(spawnSync('python3', ['-c', write, archive]).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('takes out what is asked for, with its bytes, its hash and its executable bit', async () => {
  const seen: number[][] = [];
  const files = await extractMembers(
    archive,
    join(folder, 'out'),
    (name) => (name.startsWith('..') ? null : name),
    (done, total) => seen.push([done, total]),
  );
  expect(readFileSync(join(folder, 'out/a/packed.txt'), 'utf8')).toBe('packed '.repeat(50000));
  expect(readFileSync(join(folder, 'out/a/stored.txt'), 'utf8')).toBe('stored');
  expect(readFileSync(join(folder, 'out/a/empty'), 'utf8')).toBe('');
  expect(statSync(join(folder, 'out/bin/run')).mode & 0o111).toBe(0o111);
  expect(statSync(join(folder, 'out/a/stored.txt')).mode & 0o111).toBe(0);
  // printf stored | sha256sum
  expect(files.find((file) => file.path === 'a/stored.txt')?.sha256).toBe(
    '87b04e58961f9a99d853d4046a0b5b793e7c3e4bbd21f5aca8fb17c20cdb1d8b',
  );
  expect(seen.at(-1)).toEqual([350_009, 350_009]);
});

test('a member that would leave the folder is refused', async () => {
  await expect(
    extractMembers(
      archive,
      join(folder, 'out2'),
      (name) => name,
      () => undefined,
    ),
  ).rejects.toThrow('leaves its folder');
});

test('an archive that was cut off is refused', async () => {
  truncateSync(archive, statSync(archive).size - 200);
  await expect(
    extractMembers(
      archive,
      join(folder, 'out3'),
      (name) => name,
      () => undefined,
    ),
  ).rejects.toThrow('the end record is missing');
});
