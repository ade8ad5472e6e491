/**
 * TensorFlow for @tensorflow/tfjs-node-gpu: the two libraries and the C headers out of a Python wheel, and the addon
 * compiled against them from the sources in the npm package. (The package's own install step downloads TensorFlow 2.9.1
 * from an address that no longer answers, tensorflow/tfjs#8742.)
 *
 * Layout in the cache: `tensorflow/` (libraries), `addon/tfjs_binding.node`, for CUDA also `nvidia/<name>/lib`, which
 * is where the TensorFlow libraries look for it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { downloadsFolder, ensurePart } from './cachedPart.mjs';
import { repositoryFolder } from './folders.mjs';
import { runCommand } from './processes.mjs';
import { StepFailure } from './stepFailure.mjs';
import { downloadWheel, findPip, sha256Of, wheels } from './wheels.mjs';
import { extractMembers } from './wheelArchive.mjs';

/**
 * @typedef {'cpu' | 'cuda'} Variant
 * @typedef {import('./wheels.mjs').Wheel} Wheel
 */

export const tensorflowVersion = wheels.tensorflowCpu.version;

/** @param {Variant} variant */
export const tensorflowPart = (variant) =>
  `tensorflow-${tensorflowVersion}-${variant}-${process.platform}-${process.arch}`;

export const libraryFile = 'tensorflow/libtensorflow_cc.so.2';
export const addonFile = 'addon/tfjs_binding.node';
const frameworkFile = 'tensorflow/libtensorflow_framework.so.2';

/** @type {Record<Variant, Wheel[]>} */
export const wheelsOf = {
  cpu: [wheels.tensorflowCpu],
  cuda: [wheels.tensorflowCuda, ...wheels.cudaLibraries],
};

/**
 * Downloads, unpacks and compiles unless it is in the cache.
 * @param {Variant} variant
 * @param {import('./cachedPart.mjs').OnProgress} onProgress
 * @throws {StepFailure}
 */
export function ensureTensorflow(variant, onProgress) {
  const needed = wheelsOf[variant];
  return ensurePart(
    tensorflowPart(variant),
    async (partial) => {
      const compiler = findTools(); // before a long download, not after
      const files = [];
      for (const wheel of needed) {
        const name = `${wheel.project} ${wheel.version}`;
        const archive = await downloadWheel(wheel, downloadsFolder(), (doneBytes, totalBytes) =>
          onProgress({ step: `Downloading ${name}`, doneBytes, totalBytes }),
        );
        const unpacked = await extractMembers(archive, partial, placeOf, (doneBytes, totalBytes) =>
          onProgress({ step: `Unpacking ${name}`, doneBytes, totalBytes }),
        );
        files.push(...unpacked.filter((file) => !file.path.startsWith('tensorflow/include/')));
      }
      onProgress({ step: 'Compiling the TensorFlow addon' });
      await compileAddon(compiler, partial);
      rmSync(join(partial, 'tensorflow/include'), { recursive: true });
      const addon = join(partial, addonFile);
      files.push({ path: addonFile, sizeBytes: statSync(addon).size, sha256: await sha256Of(addon) });
      for (const wheel of needed) rmSync(join(downloadsFolder(), wheel.file), { force: true });
      return { wheels: needed.map((wheel) => wheel.file), files };
    },
    onProgress,
  );
}

/** @param {string} name of a member of a wheel */
function placeOf(name) {
  if (name === libraryFile || name === frameworkFile) return name;
  if (name.startsWith('tensorflow/include/') && neededHeaders.test(name)) return name;
  if (/^nvidia\/[^/]+\/lib\/[^/]+\.so[.\d]*$/.test(name)) return name;
  if (/^nvidia\/cuda_nvcc\/(bin\/ptxas|nvvm\/libdevice\/.*)$/.test(name)) return name; // XLA compiles with these
  return null;
}

/** What `tensorflow/c/c_api.h`, `tensorflow/c/eager/c_api.h` and ctstring include, of 9,000 headers. */
const neededHeaders = /\/include\/(tensorflow\/c\/|tensorflow\/core\/platform\/|xla\/tsl\/(c|platform)\/|tsl\/).*\.h$/;

/**
 * @returns {string} the compiler
 * @throws {StepFailure} that names everything which is missing, not the first thing alone
 */
function findTools() {
  const failures = [];
  for (const find of [findPip, findCompiler]) {
    try {
      find();
    } catch (error) {
      failures.push(/** @type {StepFailure} */ (error));
    }
  }
  if (failures.length === 0) return findCompiler();
  throw new StepFailure(
    failures.map((failure) => failure.reason).join(' '),
    failures.map((failure) => failure.nextStep).join(' '),
  );
}

function findCompiler() {
  for (const command of [process.env['CXX'], 'g++', 'clang++', 'c++']) {
    if (command && spawnSync(command, ['--version']).status === 0) return command;
  }
  throw new StepFailure(
    'g++ was not found.',
    'Install a C++ compiler (Debian and Ubuntu: sudo apt-get install g++), then run "npm start" again.',
  );
}

/**
 * @param {string} compiler
 * @param {string} root the part that is being made
 */
async function compileAddon(compiler, root) {
  const binding = join(repositoryFolder, 'node_modules/@tensorflow/tfjs-node-gpu/binding');
  const addon = join(root, addonFile);
  mkdirSync(join(root, 'addon'), { recursive: true });
  const work = await mkdtemp(join(root, 'compiling-'));
  const flags = [
    '-O2',
    '-fPIC',
    '-std=c++17',
    '-DNAPI_VERSION=8',
    '-I',
    nodeHeaders(),
    '-I',
    join(root, 'tensorflow/include'),
  ];
  const objects = ['tfjs_backend', 'tfjs_binding'].map((name) => join(work, `${name}.o`));
  await Promise.all([
    run(compiler, ['-c', ...flags, join(binding, 'tfjs_backend.cc'), '-o', join(work, 'tfjs_backend.o')]),
    run(compiler, ['-c', ...flags, join(binding, 'tfjs_binding.cc'), '-o', join(work, 'tfjs_binding.o')]),
  ]);
  // The linker finds `-ltensorflow` by these names; the addon records the libraries' own names (with `.so.2`).
  symlinkSync(relative(work, join(root, libraryFile)), join(work, 'libtensorflow.so'));
  symlinkSync(relative(work, join(root, frameworkFile)), join(work, 'libtensorflow_framework.so'));
  const link = ['-shared', '-L', work, '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../tensorflow'];
  await run(compiler, [...objects, ...link, '-o', addon]);
  rmSync(work, { recursive: true });
}

function nodeHeaders() {
  const platform = `node-${process.platform}-${process.arch}`;
  const places = [
    `node_modules/node/node_modules/${platform}/include/node`,
    `node_modules/${platform}/include/node`,
    'node_modules/koffi/vendor/node-api-headers/include',
  ].map((place) => join(repositoryFolder, place));
  const found = places.find((place) => existsSync(join(place, 'node_api.h')));
  if (found) return found;
  throw new StepFailure('The header node_api.h was not found.', 'Run "npm ci", then "npm start" again.');
}

/**
 * @param {string} command
 * @param {string[]} args
 */
async function run(command, args) {
  const { code, said } = await runCommand(command, args);
  if (code === 0) return;
  const first = said.split('\n').find((line) => /error/i.test(line)) ?? said.trim().split('\n')[0];
  throw new StepFailure(
    `The TensorFlow addon could not be compiled: ${first}`,
    `Look at the compiler ("${command} --version"; g++ 9 or newer is wanted), then run "npm start" again.`,
  );
}
