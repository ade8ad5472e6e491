/**
 * Where Rotascope keeps things on this machine. Two folders, both outside the repository: data (studies, runs, the
 * database: nothing of it can be had again) and cache (libraries: all of it can be downloaded again).
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const repositoryFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** In a data folder that the user has moved: `{ "to": ..., "done": true }`. */
export const movedFileName = 'moved.json';

/**
 * Where the data of a folder are: there, or where its user has moved them. A place that is not there is not followed; the
 * engine says so when it is started.
 * @param {string} folder
 * @param {number} [hops] at most: files that lead in a circle were not written by a move
 * @returns {string}
 */
export function movedTo(folder, hops = 20) {
  /** @type {{ to?: unknown, done?: unknown }} */
  let moved;
  try {
    moved = JSON.parse(readFileSync(join(folder, movedFileName), 'utf8'));
  } catch {
    return folder;
  }
  const { to, done } = moved;
  return done === true && typeof to === 'string' && hops > 0 && existsSync(join(to, 'rotascope.sqlite'))
    ? movedTo(to, hops - 1)
    : folder;
}

/** `$ROTASCOPE_DATA`, else what this system's conventions say; where the data were moved from there, that place. */
export function dataFolder() {
  const folder = fromEnvironment('ROTASCOPE_DATA', {
    linux: ['XDG_DATA_HOME', '.local/share'],
    darwin: [undefined, 'Library/Application Support'],
    win32: ['APPDATA', 'AppData/Roaming'],
  });
  return movedTo(folder);
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
