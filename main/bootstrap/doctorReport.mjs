/** What is installed on this machine, as `rotascope doctor` prints it. Looks only; installs nothing. */
import { spawnSync } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { damagedFiles, partFolder } from './cachedPart.mjs';
import { electronVersion, findElectron } from './electronBinary.mjs';
import { cacheFolder, dataFolder } from './folders.mjs';
import { nativeStatus } from './native.mjs';
import { openblasPart } from './openblas.mjs';
import { engineNode } from './packages.mjs';
import { tensorflowPart } from './tensorflow.mjs';
import { findChromium, onPath } from './testParts.mjs';
import { findPip, wheels } from './wheels.mjs';

/**
 * @typedef {object} InstalledThing
 * @property {string} name
 * @property {boolean} found
 * @property {string} version '' when it is not known
 * @property {string} path '' when there is none
 * @property {string} nextStep what to do when it is missing and wanted, else ''
 */

/** @returns {Promise<InstalledThing[]>} */
export async function installReport() {
  const { tensorflow, openblas, cuda } = nativeStatus();
  const electron = findElectron();
  const chromium = findChromium();
  const node = engineNode();
  return [
    thing('Node for the engine', node ?? '', node ? versionOf(node) : '', 'Run "npm start": it installs Node 24.'),
    program('npm', 'Install npm (it comes with Node).'),
    program(
      'python3',
      'Install python3: it runs pip, which downloads TensorFlow (Debian and Ubuntu: sudo apt-get install python3).',
    ),
    pip(),
    program(
      'g++',
      'Install a C++ compiler: it compiles the TensorFlow addon (Debian and Ubuntu: sudo apt-get install g++).',
    ),
    await library(
      `TensorFlow (${tensorflow.variant})`,
      tensorflow.version,
      tensorflowPart(tensorflow.variant),
      tensorflow,
    ),
    await library('OpenBLAS', wheels.openblas.version, openblasPart, openblas),
    {
      name: 'NVIDIA driver',
      found: !!cuda?.driver,
      version: cuda?.driver ?? '',
      path: '',
      nextStep: cuda?.reason ?? '',
    },
    thing(
      'Electron',
      electron,
      electronVersion(),
      'The lab opens in the browser instead. For a window, run "npm start" where the Electron release page can be reached.',
    ),
    thing(
      'Chromium (for the tests)',
      chromium,
      chromium ? versionOf(chromium) : '',
      'Only the tests need it: "npm test" installs it.',
    ),
  ];
}

/**
 * @param {Array<{ name: string, path: string }>} more parts of these that are worth a line of their own
 * @returns {Promise<Array<{ name: string, path: string, sizeBytes: number }>>} sizes without following links
 */
export async function folderSizes(more = []) {
  const folders = [{ name: 'data', path: dataFolder() }, { name: 'cache', path: cacheFolder() }, ...more];
  return Promise.all(folders.map(async (folder) => ({ ...folder, sizeBytes: await sizeBytesOf(folder.path) })));
}

/**
 * @param {string} name
 * @param {string} path '' when it was not found
 * @param {string} version
 * @param {string} nextStep
 * @returns {InstalledThing}
 */
function thing(name, path, version, nextStep) {
  return { name, found: path !== '', version: path === '' ? '' : version, path, nextStep: path === '' ? nextStep : '' };
}

/**
 * @param {string} name
 * @param {string} nextStep
 */
function program(name, nextStep) {
  const path = onPath(name);
  return thing(name, path, path ? versionOf(path) : '', nextStep);
}

/**
 * A library of the cache, every byte of it held against the hash from its installation.
 * @param {string} name
 * @param {string} version
 * @param {string} part
 * @param {{ ready: boolean, libraryPath: string, reason: string, nextStep: string }} status
 * @returns {Promise<InstalledThing>}
 */
async function library(name, version, part, { ready, libraryPath, reason, nextStep }) {
  if (!ready) return thing(name, '', version, `${reason} ${nextStep}`);
  const damaged = await damagedFiles(part);
  const mend = `${damaged.join(', ')} is damaged: delete the folder ${partFolder(part)}, then run "npm start".`;
  return { ...thing(name, libraryPath, version, ''), nextStep: damaged.length > 0 ? mend : '' };
}

/** @returns {InstalledThing} */
function pip() {
  try {
    const { command, args, version } = findPip();
    return { name: 'pip', found: true, version, path: [onPath(command), ...args].join(' '), nextStep: '' };
  } catch (error) {
    const { nextStep } = /** @type {import('./stepFailure.mjs').StepFailure} */ (error);
    return { name: 'pip', found: false, version: '', path: '', nextStep };
  }
}

/** @param {string} path */
function versionOf(path) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return /\d+(\.\d+)+/.exec(stdout ?? '')?.[0] ?? '';
}

/**
 * @param {string} folder
 * @returns {Promise<number>} 0 for a folder that is not there
 */
async function sizeBytesOf(folder) {
  let sizeBytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sizeBytes += await sizeBytesOf(path);
    // A file may go while we look: a job writes and renames.
    else if (entry.isFile())
      sizeBytes += await stat(path).then(
        (found) => found.size,
        () => 0,
      );
  }
  return sizeBytes;
}
