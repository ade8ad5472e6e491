/**
 * A folder of the cache that is either whole or absent: made beside its place under `.partial`, renamed when complete,
 * and described by a manifest. One process makes it, the others wait and use it.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './folders.mjs';
import { withLock } from './lock.mjs';
import { sha256Of } from './wheels.mjs';

/**
 * @typedef {import('./wheelArchive.mjs').ExtractedFile} ExtractedFile
 * @typedef {{ wheels: string[], files: ExtractedFile[], madeAt: string }} Manifest
 * @typedef {(progress: StepProgress) => void} OnProgress
 * @typedef {{ step: string, doneBytes?: number, totalBytes?: number, note?: string }} StepProgress note: how far, where bytes are not known
 */

const manifestName = 'manifest.json';

/** @param {string} name */
export const partFolder = (name) => join(cacheFolder(), name);
export const downloadsFolder = () => join(cacheFolder(), 'downloads');

/**
 * Whether the part is there, with every file at its length. Fast: reads the manifest and stats, hashes nothing.
 * @param {string} name
 */
export function isPartWhole(name) {
  const manifest = readManifest(name);
  return !!manifest && manifest.files.every((file) => sizeOf(join(partFolder(name), file.path)) === file.sizeBytes);
}

/**
 * The files whose content is not what was installed.
 * @param {string} name
 * @returns {Promise<string[]>}
 */
export async function damagedFiles(name) {
  const damaged = [];
  for (const file of readManifest(name)?.files ?? []) {
    const path = join(partFolder(name), file.path);
    if (!existsSync(path) || (await sha256Of(path)) !== file.sha256) damaged.push(path);
  }
  return damaged;
}

/**
 * Makes the part unless it is there.
 * @param {string} name of its folder in the cache
 * @param {(partial: string) => Promise<{ wheels: string[], files: ExtractedFile[] }>} make fills the folder `partial`
 * @param {OnProgress} onProgress
 * @returns {Promise<'found' | 'made'>}
 */
export async function ensurePart(name, make, onProgress) {
  if (isPartWhole(name)) return 'found';
  const folder = partFolder(name);
  mkdirSync(cacheFolder(), { recursive: true });
  const lock = join(cacheFolder(), 'locks', `${name}.lock`);
  const sayWaiting = (/** @type {number} */ pid) =>
    onProgress({ step: `Waiting for process ${pid}, which is installing ${name}` });
  return withLock(
    lock,
    async () => {
      if (isPartWhole(name)) return 'found';
      const partial = `${folder}.partial`;
      rmSync(partial, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
      const made = await make(partial);
      const manifest = { ...made, madeAt: new Date().toISOString() };
      writeFileSync(join(partial, manifestName), JSON.stringify(manifest, null, 1));
      renameSync(partial, folder);
      return 'made';
    },
    sayWaiting,
  );
}

/**
 * @param {string} name
 * @returns {Manifest | null}
 */
function readManifest(name) {
  try {
    return JSON.parse(readFileSync(join(partFolder(name), manifestName), 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} path */
function sizeOf(path) {
  try {
    return statSync(path).size;
  } catch {
    return -1;
  }
}
