import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { engineFileFaults, listEngineFiles } from '../../../electron/engineFiles.ts';
import type { EngineFileList } from '../../../electron/engineFiles.ts';

let folder: string;
let list: EngineFileList;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rotascope-engine-'));
  mkdirSync(join(folder, 'main', 'ml'), { recursive: true });
  writeFileSync(join(folder, 'main', 'cli.ts'), 'abc');
  writeFileSync(join(folder, 'main', 'ml', 'reversion.ts'), '');
  list = await listEngineFiles(folder);
});

test('the list has every file with its SHA-256', () => {
  expect(list).toEqual({
    // FIPS 180-2, appendix B.1, and the digest of nothing.
    'main/cli.ts': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    'main/ml/reversion.ts': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  });
});

test('files as shipped have no fault', async () => {
  expect(await engineFileFaults(folder, list)).toEqual([]);
});

test('a changed, a missing and an added file are each named', async () => {
  writeFileSync(join(folder, 'main', 'cli.ts'), 'abd'); // Same length.
  rmSync(join(folder, 'main', 'ml', 'reversion.ts'));
  writeFileSync(join(folder, 'main', 'package.json'), '{}');
  expect(await engineFileFaults(folder, list)).toEqual([
    'main/cli.ts was changed.',
    'main/ml/reversion.ts is missing.',
    'main/package.json was added.',
  ]);
});
