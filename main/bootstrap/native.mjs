/**
 * The native libraries: what is installed, why not, and installing it. The engine reads `nativeStatus` (fast, looks at
 * the cache only); `npm start`, `npm test` and `rotascope doctor` call `installNative`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Module, createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPartWhole, partFolder } from './cachedPart.mjs';
import { cacheFolder, repositoryFolder } from './folders.mjs';
import { ensureOpenblas, openblasFile, openblasPart } from './openblas.mjs';
import { stepReporter } from './progress.mjs';
import { StepFailure } from './stepFailure.mjs';
import {
  addonFile,
  ensureTensorflow,
  libraryFile,
  tensorflowPart,
  tensorflowVersion,
  wheelsOf,
} from './tensorflow.mjs';

/**
 * @typedef {import('./tensorflow.mjs').Variant} Variant
 * @typedef {import('./cachedPart.mjs').OnProgress} OnProgress
 * @typedef {object} TensorflowStatus
 * @property {boolean} ready
 * @property {string} version
 * @property {Variant} variant
 * @property {string} libraryPath libtensorflow_cc.so.2, '' when not ready
 * @property {string} addonPath tfjs_binding.node, '' when not ready
 * @property {string} reason why it is not ready, '' when it is
 * @property {string} nextStep what to do about it
 * @typedef {{ ready: boolean, libraryPath: string, reason: string, nextStep: string }} OpenblasStatus
 */

/**
 * @typedef {object} CudaStatus
 * @property {string} driver version of the NVIDIA driver
 * @property {boolean} installed whether the CUDA variant is in the cache
 * @property {boolean} inUse
 * @property {number} downloadBytes
 * @property {string} reason why it is not in use, '' when it is
 */

const supported = process.platform === 'linux' && process.arch === 'x64';
const switchedOff = () => process.env['ROTASCOPE_NATIVE'] === 'off';

/** @returns {{ tensorflow: TensorflowStatus, openblas: OpenblasStatus, cuda: CudaStatus | null }} */
export function nativeStatus() {
  const why = whyUnavailable();
  const cuda = why ? null : cudaStatus();
  const variant = cuda?.inUse ? 'cuda' : 'cpu';
  const folder = partFolder(tensorflowPart(variant));
  const head = { version: tensorflowVersion, variant: /** @type {Variant} */ (variant) };
  const found = { ready: true, reason: '', nextStep: '' };
  return {
    tensorflow:
      !why && isPartWhole(tensorflowPart(variant))
        ? { ...head, ...found, libraryPath: join(folder, libraryFile), addonPath: join(folder, addonFile) }
        : { ...head, ready: false, libraryPath: '', addonPath: '', ...(why ?? lastFailure('tensorflow')) },
    openblas:
      !why && isPartWhole(openblasPart)
        ? { ...found, libraryPath: join(partFolder(openblasPart), openblasFile) }
        : { ready: false, libraryPath: '', ...(why ?? lastFailure('openblas')) },
    cuda,
  };
}

/**
 * Installs what is missing. Never throws for a machine that lacks something: the status then says what and why.
 * @param {{ onProgress?: OnProgress }} [options]
 */
export async function installNative({ onProgress = () => {} } = {}) {
  if (!whyUnavailable()) {
    await attempt('openblas', () => ensureOpenblas(onProgress));
    await attempt('tensorflow', () => ensureTensorflow('cpu', onProgress));
  }
  return nativeStatus();
}

/**
 * Downloads TensorFlow for CUDA with NVIDIA's libraries (3.4 GB, 5.6 GB on disk). It is used after
 * `recordCudaVerdict({ passed: true })`; until then the CPU variant stays in use. Written to the layout that the
 * libraries look for, loaded on a machine without a GPU, and not tried on a GPU yet.
 * @param {{ onProgress?: OnProgress }} [options]
 * @throws {StepFailure}
 */
export async function installCuda({ onProgress = () => {} } = {}) {
  const why = whyUnavailable();
  if (why) throw new StepFailure(why.reason, why.nextStep);
  await ensureTensorflow('cuda', onProgress);
  return nativeStatus();
}

/**
 * What the self-test said about this machine's GPU. Run it with ROTASCOPE_TENSORFLOW=cuda in a process of its own.
 * @param {{ passed: boolean, reason: string }} verdict
 */
export function recordCudaVerdict(verdict) {
  mkdirSync(cacheFolder(), { recursive: true });
  writeFileSync(cudaVerdictFile(), JSON.stringify({ ...verdict, driver: nvidiaDriver() }));
}

/** Measured after an installation. */
const cudaDiskGigabytes = 5.6;

const cudaVerdictFile = () => join(cacheFolder(), 'cuda-verdict.json');

/** @returns {CudaStatus | null} null without an NVIDIA driver */
function cudaStatus() {
  const driver = nvidiaDriver();
  const forced = process.env['ROTASCOPE_TENSORFLOW'];
  if (!driver && forced !== 'cuda') return null;
  const installed = isPartWhole(tensorflowPart('cuda'));
  const downloadBytes = wheelsOf.cuda.reduce((sum, wheel) => sum + wheel.bytes, 0);
  const verdict = readJson(cudaVerdictFile());
  const reason = !installed
    ? `The CUDA libraries are not installed: "npx rotascope doctor --install-cuda" downloads them (${(downloadBytes / 1e9).toFixed(1)} GB, ${cudaDiskGigabytes} GB on disk).`
    : forced === 'cuda'
      ? ''
      : forced === 'cpu'
        ? 'ROTASCOPE_TENSORFLOW=cpu asks for the CPU.'
        : !verdict || verdict.driver !== driver
          ? 'The self-test has not run on this GPU and driver: run "npx rotascope doctor --install-cuda".'
          : verdict.passed
            ? ''
            : `The self-test failed on the GPU: ${verdict.reason}`;
  return { driver: driver ?? '', installed, inUse: reason === '', downloadBytes, reason };
}

/** @returns {string | null} version of the NVIDIA driver, null when none is loaded */
export function nvidiaDriver() {
  try {
    const text = readFileSync('/proc/driver/nvidia/version', 'utf8');
    return /Kernel Module(?: for \S+)?\s+([\d.]+)/.exec(text)?.[1] ?? 'unknown version';
  } catch {
    return null;
  }
}

/**
 * Makes `require('@tensorflow/tfjs-node-gpu')` find the addon in the cache, on Node 24. Call it before that require;
 * nothing is written into node_modules.
 * @throws {StepFailure} when native TensorFlow is not installed
 */
export function prepareTfjsNode() {
  const { tensorflow } = nativeStatus();
  if (!tensorflow.ready) throw new StepFailure(tensorflow.reason, tensorflow.nextStep);
  const require = createRequire(join(repositoryFolder, 'package.json'));
  // Node 23 removed one and warns of the other; tfjs-node 4.22 still calls both (tensorflow/tfjs#8609).
  const util = /** @type {Record<string, unknown>} */ (require('node:util'));
  util.isNullOrUndefined = (/** @type {unknown} */ value) => value === null || value === undefined;
  util.isArray = Array.isArray;
  // tfjs-node asks node-pre-gyp one thing, where the addon is: answered here, so that the package is never loaded.
  const fromTfjs = createRequire(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  const asked = fromTfjs.resolve('@mapbox/node-pre-gyp');
  const answer = Object.assign(new Module(asked), { filename: asked, loaded: true });
  answer.exports = { find: () => tensorflow.addonPath };
  require.cache[asked] = answer;
}

/** @returns {{ reason: string, nextStep: string } | null} */
function whyUnavailable() {
  if (switchedOff()) {
    return {
      reason: 'Native libraries are switched off (--no-native or ROTASCOPE_NATIVE=off).',
      nextStep: 'Run "npm start" without --no-native and with ROTASCOPE_NATIVE unset.',
    };
  }
  if (!supported) {
    return {
      reason: `Native TensorFlow is installed on Linux x86-64 only for now; this is ${process.platform} ${process.arch}.`,
      nextStep: 'Go on with the wasm backend, or use a Linux machine for long runs.',
    };
  }
  return null;
}

/** @param {'tensorflow' | 'openblas'} name */
const failureFile = (name) => join(cacheFolder(), `${name}-failure.json`);

/**
 * @param {'tensorflow' | 'openblas'} name
 * @param {() => Promise<unknown>} install
 */
async function attempt(name, install) {
  try {
    await install();
    rmSync(failureFile(name), { force: true });
  } catch (error) {
    mkdirSync(cacheFolder(), { recursive: true });
    const { reason, nextStep } =
      error instanceof StepFailure
        ? error
        : { reason: `${name} could not be installed: ${String(error)}`, nextStep: 'Run "npm start" again.' };
    writeFileSync(failureFile(name), JSON.stringify({ reason, nextStep }));
  }
}

/**
 * @param {'tensorflow' | 'openblas'} name
 * @returns {{ reason: string, nextStep: string }}
 */
function lastFailure(name) {
  const failure = readJson(failureFile(name));
  if (failure) return failure;
  const title = name === 'tensorflow' ? `TensorFlow ${tensorflowVersion}` : 'OpenBLAS';
  return { reason: `${title} is not installed.`, nextStep: 'Run "npm start" to install it.' };
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const reporter = stepReporter(process.stdout);
  const status = await installNative({ onProgress: reporter.report });
  reporter.end();
  console.log(JSON.stringify(status, null, 2));
}
