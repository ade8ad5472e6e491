/** The current Electron: npm brings the package, its binary comes from the release page, where that can be reached. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, repositoryFolder } from './folders.mjs';
import { engineNode } from './packages.mjs';
import { runCommand } from './processes.mjs';

const packageFolder = join(repositoryFolder, 'node_modules/electron');
/** A release page that did not answer is not asked again at every start. */
const askAgainAfterMs = 24 * 3600 * 1000;
const downloadTimeoutMs = 300_000;

/** @returns {string} path of the executable, '' when it is not installed */
export function findElectron() {
  const overridden = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const pathFile = join(packageFolder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const executable = overridden ? join(overridden, name) : join(packageFolder, 'dist', name);
  return existsSync(executable) ? executable : '';
}

/**
 * Runs the package's own download once.
 * @param {import('./cachedPart.mjs').OnProgress} onProgress
 * @returns {Promise<string>} path of the executable, '' when it cannot be had
 */
export async function ensureElectron(onProgress) {
  const found = findElectron();
  if (found || !existsSync(packageFolder) || wasRefusedLately()) return found;
  onProgress({ step: 'Downloading Electron (about 120 MB)' });
  const script = join(packageFolder, 'install.js');
  const { code } = await runCommand(engineNode() ?? process.execPath, [script], { timeoutMs: downloadTimeoutMs });
  if (code === 0) {
    rmSync(refusalFile(), { force: true });
    return findElectron();
  }
  mkdirSync(cacheFolder(), { recursive: true });
  writeFileSync(refusalFile(), JSON.stringify({ version: electronVersion(), atMs: Date.now() }));
  return '';
}

/** @returns {string} of the npm package, '' when it is not installed */
export function electronVersion() {
  const manifest = join(packageFolder, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : '';
}

const refusalFile = () => join(cacheFolder(), 'electron-refused.json');

function wasRefusedLately() {
  if (!existsSync(refusalFile())) return false;
  const { version, atMs } = JSON.parse(readFileSync(refusalFile(), 'utf8'));
  return version === electronVersion() && Date.now() - atMs < askAgainAfterMs;
}
