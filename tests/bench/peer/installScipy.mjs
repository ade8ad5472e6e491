/** Installs the peer of `npm run bench -- svd` (scipy, about 200 MB) into the cache folder, after asking. Never run by the tests. */
import { join } from 'node:path';
import { cacheFolder } from '../../../main/bootstrap/folders.mjs';
import { installPeerPackages } from './install.mjs';

const folder = join(cacheFolder(), 'bench-scipy');
export const scipyPython = join(folder, 'bin', 'python');

/** @returns {Promise<boolean>} whether the peer is there */
export const installScipy = () =>
  installPeerPackages({
    folder,
    title: 'scipy, the peer of the benchmark (about 200 MB)',
    packages: ['scipy', 'numpy'],
  });

if (process.argv[1] === import.meta.filename) process.exitCode = (await installScipy()) ? 0 : 1;
