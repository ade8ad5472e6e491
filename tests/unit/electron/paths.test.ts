import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { engineCommand, engineNode, projectFolderAround } from '../../../electron/engineCommand.ts';
import { dataFolderOption, pathsToOpen } from '../../../electron/paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'rotascope-paths-'));
mkdirSync(join(folder, 'model'));
writeFileSync(join(folder, 'a b.safetensors'), '');

test('a start opens what exists, relative to its own folder', () => {
  const args = ['--no-sandbox', 'model', 'a b.safetensors', 'absent', folder, '--data=elsewhere'];
  expect(pathsToOpen(args, folder, [])).toEqual([join(folder, 'model'), join(folder, 'a b.safetensors'), folder]);
});

test('a file: address of a double-click is its path; one of another host is nothing', () => {
  const address = pathToFileURL(join(folder, 'a b.safetensors')).href;
  expect(address).toContain('%20');
  expect(pathsToOpen([address, 'file://elsewhere/model', 'file:%'], '/', [])).toEqual([
    join(folder, 'a b.safetensors'),
  ]);
});

test('the folders of the app and of the data are not opened', () => {
  expect(pathsToOpen(['.', 'model'], folder, [folder])).toEqual([join(folder, 'model')]);
});

test('the data folder is read in both spellings', () => {
  expect(dataFolderOption(['electron', '.', '--data', 'd'], '/x')).toBe('/x/d');
  expect(dataFolderOption(['electron', '.', '--data=/y/d'], '/x')).toBe('/y/d');
  expect(dataFolderOption(['electron', '.', '--data'], '/x')).toBeUndefined();
  expect(dataFolderOption(['electron', '.'], '/x')).toBeUndefined();
});

test('the engine runs on the Node of the packages, never on the one of the shell', () => {
  const project = projectFolderAround(import.meta.dirname);
  const command = engineCommand(project, '/d', '/r', { ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '-r x', PATH: '/bin' });
  expect(command.executable).toBe(engineNode(project));
  expect(command.arguments.slice(1)).toEqual(['serve', '--json', '--no-open', '--data', '/d']);
  expect(command.environment).toEqual({ PATH: '/bin', ROTASCOPE_RENDERER: '/r' });
});

test('a folder without the program says what to do', () => {
  expect(() => projectFolderAround(folder)).toThrow('npm start');
  expect(() => engineNode(folder)).toThrow('npm start');
});
