/** Installs the benchmark's peer (PyTorch, about 5 GB) into the cache folder, after asking. Never run by the tests. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { cacheFolder } from '../../../main/bootstrap/folders.mjs';

export const peerFolder = join(cacheFolder(), 'bench-peer');
export const peerPython = join(peerFolder, 'bin', 'python');

/** Asks, creates a virtual environment and installs PyTorch and transformers there. @returns {Promise<boolean>} whether the peer is there */
export const installPeer = () =>
  installPeerPackages({
    folder: peerFolder,
    title: 'PyTorch, the peer of the benchmark (about 5 GB)',
    packages: ['transformers', 'torch', 'safetensors', 'numpy'],
  });

/**
 * @param {object} peer
 * @param {string} peer.folder of the virtual environment
 * @param {string} peer.title for the question
 * @param {string[]} peer.packages all of them are looked for
 * @returns {Promise<boolean>} whether they are there
 */
export async function installPeerPackages({ folder, title, packages }) {
  const python = join(folder, 'bin', 'python');
  if (existsSync(python) && spawnSync(python, ['-c', `import ${packages.join(', ')}`]).status === 0) return true;
  if (!process.argv.includes('--yes')) {
    const prompt = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await prompt.question(`Install ${title}, into ${folder}? [y/N] `);
    prompt.close();
    if (!/^y/i.test(answer)) return false;
  }
  /** @type {[string, string[]][]} */
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [python, ['-m', 'pip', 'install', ...packages]],
  ];
  return steps.every(([command, args]) => spawnSync(command, args, { stdio: 'inherit' }).status === 0);
}

if (process.argv[1] === import.meta.filename) process.exitCode = (await installPeer()) ? 0 : 1;
