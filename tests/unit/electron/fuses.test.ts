import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flipFuses, FuseV1Options, FuseVersion } from '@electron/fuses';
import { expect, test } from 'vitest';
import { fuseFaults, hasFuses } from '../../../electron/packaging/fuses.ts';

/** What @electron/fuses looks for in a binary: this mark, version 1, the number of fuses, a character a fuse. */
function binaryWith(states: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'rotascope-fuses-')), 'rotascope');
  const mark = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX');
  const wire = Buffer.concat([Buffer.from([1, states.length]), Buffer.from(states)]);
  writeFileSync(path, Buffer.concat([Buffer.alloc(5000, 7), mark, wire, Buffer.alloc(5000, 9)]));
  return path;
}

test('a binary as electron-builder leaves it has no fault', async () => {
  // Of a current Electron, before and after.
  const path = binaryWith('101100010');
  await flipFuses(path, {
    version: FuseVersion.V1,
    [FuseV1Options.RunAsNode]: false,
    [FuseV1Options.EnableCookieEncryption]: true,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: false,
    [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
    [FuseV1Options.OnlyLoadAppFromAsar]: true,
    [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  });
  expect(await fuseFaults(path)).toEqual([]);
  expect(await fuseFaults(binaryWith('010011000'))).toEqual([]);
});

test('every fuse that is not as set is named', async () => {
  expect(await fuseFaults(binaryWith('101100010'))).toEqual([
    'runAsNode should be off and is ENABLE',
    'enableNodeOptionsEnvironmentVariable should be off and is ENABLE',
    'enableNodeCliInspectArguments should be off and is ENABLE',
    'enableEmbeddedAsarIntegrityValidation should be on and is DISABLE',
    'onlyLoadAppFromAsar should be on and is DISABLE',
    'enableCookieEncryption should be on and is DISABLE',
    'grantFileProtocolExtraPrivileges should be off and is ENABLE',
  ]);
  expect(await fuseFaults(binaryWith('0100110'))).toEqual([
    'grantFileProtocolExtraPrivileges should be off and is absent',
  ]);
});

test('Electron has fuses since version 12', () => {
  expect(['9.4.1', '12.0.0', '45.4.1'].map(hasFuses)).toEqual([false, true, true]);
});
