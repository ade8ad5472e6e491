/**
 * The native libraries: what is installed, why not, and installing it. The engine reads `nativeStatus` (fast, looks at
 * the cache only); `npm start`, `npm test` and `rotascope doctor` call `installNative`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Module, createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPartWhole, partFolder } from './cachedPart.mjs';
import { cacheFolder, repositoryFolder } from './folders.mjs';
import { ensureOpenblas, openblasFile, openblasPart } from './openblas.mjs';
import { stepReporter } from './progress.mjs';
import { StepFailure } from './stepFailure.mjs';
import { addonFile, ensureTensorflow, libraryFile, tensorflowPart, tensorflowVersion } from './tensorflow.mjs';
import { wheels } from './wheels.mjs';

/**
 * @typedef {import('./tensorflow.mjs').Variant} Variant
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

const supported = process.platform === 'linux' && process.arch === 'x64';
const switchedOff = () => process.env['ROTASCOPE_NATIVE'] === 'off';

/** @returns {{ tensorflow: TensorflowStatus, openblas: OpenblasStatus }} */
export function nativeStatus() {
  const tensorflow = { version: tensorflowVersion, variant: /** @type {Variant} */ ('cpu') };
  const part = tensorflowPart(tensorflow.variant);
  const folder = partFolder(part);
  const why = whyUnavailable();
  return {
    tensorflow:
      !why && isPartWhole(part)
        ? {
            ...tensorflow,
            ready: true,
            libraryPath: join(folder, libraryFile),
            addonPath: join(folder, addonFile),
            reason: '',
            nextStep: '',
          }
        : { ...tensorflow, ready: false, libraryPath: '', addonPath: '', ...(why ?? lastFailure('tensorflow')) },
    openblas:
      !why && isPartWhole(openblasPart)
        ? { ready: true, libraryPath: join(partFolder(openblasPart), openblasFile), reason: '', nextStep: '' }
        : { ready: false, libraryPath: '', ...(why ?? lastFailure('openblas')) },
  };
}

/**
 * Installs what is missing. Never throws for a machine that lacks something: the status then says what and why.
 * @param {{ onProgress?: import('./cachedPart.mjs').OnProgress }} [options]
 */
export async function installNative({ onProgress = () => {} } = {}) {
  if (!whyUnavailable()) {
    await attempt('openblas', () => ensureOpenblas(onProgress));
    await attempt('tensorflow', () => ensureTensorflow('cpu', [wheels.tensorflowCpu], onProgress));
  }
  return nativeStatus();
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
  // Node 23 removed these; tfjs-node 4.22 still calls them (tensorflow/tfjs#8609).
  const util = /** @type {Record<string, unknown>} */ (require('node:util'));
  util.isNullOrUndefined ??= (/** @type {unknown} */ value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
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
  if (existsSync(failureFile(name))) return JSON.parse(readFileSync(failureFile(name), 'utf8'));
  const title = name === 'tensorflow' ? `TensorFlow ${tensorflowVersion}` : 'OpenBLAS';
  return { reason: `${title} is not installed.`, nextStep: 'Run "npm start" to install it.' };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const reporter = stepReporter(process.stdout);
  const status = await installNative({ onProgress: reporter.report });
  reporter.end();
  console.log(JSON.stringify(status, null, 2));
}
