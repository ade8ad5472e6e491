/** Installs the benchmark's peer (PyTorch, about 5 GB) into the cache folder, after asking. Never run by the tests. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { cacheFolder } from '../../../main/bootstrap/folders.mjs';

const folder = join(cacheFolder(), 'bench-peer');
export const peerPython = join(folder, 'bin', 'python');

/** Asks, creates a virtual environment and installs PyTorch there. @returns {Promise<boolean>} whether the peer is there */
export async function installPeer() {
  if (existsSync(peerPython) && spawnSync(peerPython, ['-c', 'import torch']).status === 0) return true;
  if (!process.argv.includes('--yes')) {
    const prompt = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await prompt.question(
      `Install PyTorch, the peer of the benchmark (about 5 GB), into ${folder}? [y/N] `,
    );
    prompt.close();
    if (!/^y/i.test(answer)) return false;
  }
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [peerPython, ['-m', 'pip', 'install', 'torch', 'numpy']],
  ];
  for (const [command, args] of steps)
    if (spawnSync(/** @type {string} */ (command), /** @type {string[]} */ (args), { stdio: 'inherit' }).status !== 0)
      return false;
  return true;
}

if (process.argv[1] === import.meta.filename) process.exitCode = (await installPeer()) ? 0 : 1;
