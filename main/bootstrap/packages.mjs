/**
 * The npm packages of this clone, and Node 24 among them (npm's `node` package), so that scripts, tests and the engine
 * run on one Node whatever the machine has.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, join, relative } from 'node:path';
import { cacheFolder, repositoryFolder } from './folders.mjs';
import { withLock } from './lock.mjs';
import { runCommand } from './processes.mjs';
import { StepFailure } from './stepFailure.mjs';

const oldestNodeMajor = 20;
const engineNodeMajor = 24;
const packagesFolder = join(repositoryFolder, 'node_modules');

/** @throws {StepFailure} on a Node that cannot run the preparation */
export function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= oldestNodeMajor) return;
  throw new StepFailure(
    `Node ${process.versions.node} is too old.`,
    `Install Node ${oldestNodeMajor} or newer, then run "npm start" again.`,
  );
}

/**
 * Runs `work` while no other start prepares this clone.
 * @template T
 * @param {import('./cachedPart.mjs').OnProgress} onProgress
 * @param {() => Promise<T>} work
 */
export function withCloneLock(onProgress, work) {
  const clone = createHash('sha256').update(repositoryFolder).digest('hex').slice(0, 16);
  return withLock(join(cacheFolder(), 'locks', `clone-${clone}.lock`), work, (pid) =>
    onProgress({ step: `Waiting for process ${pid}, which is preparing this folder` }),
  );
}

/**
 * @param {import('./cachedPart.mjs').OnProgress} onProgress
 * @throws {StepFailure}
 */
export async function ensurePackages(onProgress) {
  if (!packagesMatchLock()) {
    const names = Object.keys(readLock('package-lock.json')).filter((name) => name !== '');
    const step = 'Installing packages';
    onProgress({ step });
    const counting = setInterval(
      () =>
        onProgress({
          step,
          note: `${names.filter((name) => existsSync(join(repositoryFolder, name))).length} of ${names.length}`,
        }),
      500,
    );
    try {
      await runNpm(['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], 'The packages');
    } finally {
      clearInterval(counting);
    }
  }
  if (!engineNode()) {
    onProgress({ step: `Installing Node ${engineNodeMajor} for the engine` });
    // Its own install step fetches the package of this platform; the project's .npmrc keeps all others from running.
    await runNpm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'], `Node ${engineNodeMajor}`);
  }
}

/**
 * The Node that was tested, also where the machine's own would be new enough.
 * @returns {string | null} null before `ensurePackages`
 */
export function engineNode() {
  const installed = join(packagesFolder, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(installed) ? installed : null;
}

/** npm leaves `.package-lock.json` when it has finished: what it installed, to be held against what is wanted. */
function packagesMatchLock() {
  const wanted = readLock('package-lock.json');
  const installed = readLock('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([name, { version, optional }]) => name === '' || optional || installed[name]?.version === version,
  );
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(repositoryFolder, path), 'utf8')).packages;
  } catch {
    return {};
  }
}

/**
 * @param {string[]} args
 * @param {string} what for the message
 */
async function runNpm(args, what) {
  const npm = npmCommand();
  const { code, said } = await runCommand(npm.command, [...npm.args, ...args], { cwd: repositoryFolder, env: npm.env });
  if (code === 0) return;
  const words = said
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, ''))
    .filter((line) => line !== '' && !/^npm |^(code|errno|syscall) /.test(line));
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(said);
  const first = words.slice(0, 3).join(' ').replace(/\.?$/, '');
  throw new StepFailure(
    `${what} could not be installed: ${offline ? 'the package registry was not reached' : first}.`,
    offline
      ? 'Connect this machine to the network (or set the proxy for npm), then run the command again.'
      : 'Run "npm ci" to see all that npm says, then run the command again.',
  );
}

/**
 * npm, on a Node that it does not replace: once the packages are there, npm's scripts run on the Node among them, which
 * `npm ci` deletes.
 * @param {NodeJS.ProcessEnv} [from] the environment
 * @param {string} [ownNode] what runs this
 * @throws {StepFailure}
 */
export function npmCommand(from = process.env, ownNode = process.execPath) {
  const isKept = (/** @type {string} */ path) => relative(packagesFolder, realPath(path)).startsWith('..');
  const folders = (from['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && isKept(folder));
  const env = { ...from, PATH: folders.join(delimiter) };
  const [nodeName, npmName] = process.platform === 'win32' ? ['node.exe', 'npm.cmd'] : ['node', 'npm'];
  const nodes = [from['npm_node_execpath'], ownNode, ...folders.map((folder) => join(folder, nodeName))];
  const node = nodes.find((path) => path !== undefined && existsSync(path) && isKept(path));
  // npm itself as a script where it started us
  const script = from['npm_execpath'];
  if (node !== undefined && script && /^(npm|npx)-cli\.c?js$/.test(basename(script)))
    return { command: node, args: [script.replace(/npx-cli/, 'npm-cli')], env };
  if (spawnSync(npmName, ['--version'], { env }).status === 0) return { command: npmName, args: [], env };
  throw new StepFailure('npm was not found.', 'Install npm (it comes with Node), then run the command again.');
}

/** @param {string} path */
const realPath = (path) => (existsSync(path) ? realpathSync(path) : path);
