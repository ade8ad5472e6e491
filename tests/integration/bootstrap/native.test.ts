import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nativeStatus } from '../../../main/bootstrap/native.mjs';
import { bootstrapFolder } from './tinyWheel.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotascope-native-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the installation in a process of its own, with an empty cache and its own PATH. */
function install(env: NodeJS.ProcessEnv): ReturnType<typeof nativeStatus> {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(bootstrapFolder, 'native.mjs')], {
    env: { ...process.env, ROTASCOPE_NATIVE: '', ROTASCOPE_CACHE: join(folder, 'cache'), ...env },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout.slice(stdout.indexOf('{'))) as ReturnType<typeof nativeStatus>;
}

/** A folder for PATH that holds these programs alone. */
function pathWith(...programs: string[]): string {
  const path = join(folder, 'bin');
  mkdirSync(path);
  for (const program of programs) {
    const where = `import shutil, sys; print(sys.executable if '${program}' == 'python3' else shutil.which('${program}'))`;
    symlinkSync(spawnSync('python3', ['-c', where], { encoding: 'utf8' }).stdout.trim(), join(path, program));
  }
  return path;
}

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('a machine that lacks something', () => {
  test('without pip: the reason and the next step, nothing fails', () => {
    const { tensorflow, openblas } = install({ PATH: pathWith('g++') });
    for (const status of [tensorflow, openblas]) {
      expect(status).toMatchObject({ ready: false, libraryPath: '', reason: 'pip was not found.' });
      expect(status.nextStep).toContain('sudo apt-get install python3-pip');
    }
  });

  test('without a compiler: said before anything is downloaded', () => {
    const { tensorflow } = install({ PATH: pathWith('python3'), CXX: '', PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder });
    expect(tensorflow).toMatchObject({ ready: false, reason: 'g++ was not found.' });
    expect(tensorflow.nextStep).toContain('sudo apt-get install g++');
  });

  test('without both: both are named at once', () => {
    const { tensorflow } = install({ PATH: folder, CXX: '' });
    expect(tensorflow.reason).toBe('pip was not found. g++ was not found.');
    expect(tensorflow.nextStep).toMatch(/apt-get install python3-pip.*apt-get install g\+\+/);
  });

  test('without a network', () => {
    const unreachable = 'http://127.0.0.1:9/simple';
    const { openblas } = install({
      PIP_INDEX_URL: unreachable,
      PIP_FIND_LINKS: '',
      PIP_EXTRA_INDEX_URL: '',
    });
    expect(openblas.reason).toMatch(
      /^scipy-openblas32 .* could not be downloaded: the package index was not reached\.$/,
    );
    expect(openblas.nextStep).toContain('Connect this machine to the network');
  });
});

test('switched off by the environment', () => {
  const { tensorflow, openblas } = install({ ROTASCOPE_NATIVE: 'off' });
  expect(tensorflow.reason).toContain('switched off');
  expect(openblas.reason).toContain('switched off');
});

test.runIf(nativeStatus().tensorflow.ready)('tfjs-node loads on this Node from the cache, and multiplies', () => {
  const script = `
    import { createRequire } from 'node:module';
    import { prepareTfjsNode } from '${join(bootstrapFolder, 'native.mjs')}';
    prepareTfjsNode();
    const tf = createRequire('${join(bootstrapFolder, 'native.mjs')}')('@tensorflow/tfjs-node-gpu');
    const a = tf.tensor2d([[1, 2], [3, 4]]);
    console.log(JSON.stringify({ backend: tf.getBackend(), product: tf.matMul(a, a).arraySync() }));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({
    backend: 'tensorflow',
    product: [
      [7, 10],
      [15, 22],
    ],
  });
});
