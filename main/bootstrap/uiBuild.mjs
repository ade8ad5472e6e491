/** Builds the user interface and the shell when their sources changed since the last build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from './folders.mjs';
import { engineNode } from './packages.mjs';
import { runCommand } from './processes.mjs';
import { StepFailure } from './stepFailure.mjs';

/** What the build reads. */
const sources = [
  'renderer',
  'electron',
  'main/contract',
  'electron.vite.config.ts',
  'vite.report.config.ts',
  'tsconfig.base.json',
  'package-lock.json',
];

/** 'old' is the build for the real-window test in Electron 9.4.1. */
const outFolders = { production: 'out', old: 'out/old' };

/**
 * @param {keyof typeof outFolders} mode
 * @param {import('./cachedPart.mjs').OnProgress} onProgress
 * @throws {StepFailure}
 */
export async function ensureBuild(mode, onProgress) {
  const stamp = join(repositoryFolder, outFolders[mode], `.build-${mode}.json`);
  const sha256 = sourcesSha256();
  if (existsSync(stamp) && JSON.parse(readFileSync(stamp, 'utf8')).sha256 === sha256) return;
  onProgress({ step: mode === 'old' ? 'Building the window for the old Electron' : 'Building the user interface' });
  rmSync(stamp, { force: true });
  await build(['electron-vite/bin/electron-vite.js', 'build', ...(mode === 'old' ? ['--mode', 'old'] : [])]);
  // The report of the command line is plain Node's: one build of it is enough.
  if (mode === 'production') await build(['vite/bin/vite.js', 'build', '--config', 'vite.report.config.ts']);
  mkdirSync(join(repositoryFolder, outFolders[mode]), { recursive: true });
  writeFileSync(stamp, JSON.stringify({ sha256 }));
}

/**
 * @param {string[]} command a script of a package, and its arguments
 * @throws {StepFailure}
 */
async function build([script = '', ...args]) {
  const env = { ...process.env, NO_COLOR: '1' };
  const { code, said } = await runCommand(
    engineNode() ?? process.execPath,
    [join(repositoryFolder, 'node_modules', script), ...args],
    { cwd: repositoryFolder, env },
  );
  if (code !== 0) {
    const lines = said.split('\n').filter((line) => !/^\s+at /.test(line));
    const from = Math.max(
      0,
      lines.findIndex((line) => /error/i.test(line)),
    );
    const words = lines
      .slice(from, from + 16)
      .join('\n')
      .trim();
    throw new StepFailure(
      `The user interface could not be built.\n${words}\n`,
      'Mend the sources, then run the command again.',
    );
  }
}

/** Of names and contents: a checkout changes times without changing anything. */
function sourcesSha256() {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const file of filesOf(join(repositoryFolder, source)).sort()) {
      hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

/**
 * @param {string} path a file or folder
 * @returns {string[]}
 */
function filesOf(path) {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path).flatMap((name) => filesOf(join(path, name)));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOTDIR') return [path];
    throw error;
  }
}
