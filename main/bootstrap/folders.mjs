/**
 * Where Rotascope keeps things on this machine. Two folders, both outside the repository: data (studies, runs, the
 * database: nothing of it can be had again) and cache (libraries: all of it can be downloaded again).
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const repositoryFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** `$ROTASCOPE_DATA`, else what this system's conventions say. */
export function dataFolder() {
  return fromEnvironment('ROTASCOPE_DATA', {
    linux: ['XDG_DATA_HOME', '.local/share'],
    darwin: [undefined, 'Library/Application Support'],
    win32: ['APPDATA', 'AppData/Roaming'],
  });
}

/** `$ROTASCOPE_CACHE`, else what this system's conventions say. */
export function cacheFolder() {
  return fromEnvironment('ROTASCOPE_CACHE', {
    linux: ['XDG_CACHE_HOME', '.cache'],
    darwin: [undefined, 'Library/Caches'],
    win32: ['LOCALAPPDATA', 'AppData/Local'],
  });
}

/**
 * @param {string} variable
 * @param {Record<'linux' | 'darwin' | 'win32', [string | undefined, string]>} conventions variable of the system, folder in the home
 */
function fromEnvironment(variable, conventions) {
  const chosen = process.env[variable];
  if (chosen) return resolve(chosen);
  const system = process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux';
  const [systemVariable, inHome] = conventions[system];
  const systemFolder = systemVariable && process.env[systemVariable];
  // On Windows data and cache could fall into one folder of the same name; the cache gets its own.
  const name = system === 'win32' && variable === 'ROTASCOPE_CACHE' ? 'rotascope/cache' : 'rotascope';
  return join(systemFolder ? resolve(systemFolder) : join(homedir(), inHome), name);
}
