/** The files of a data folder that are its user's: what a backup takes and a restore replaces. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const databaseName = 'rotascope.sqlite';
/** Directly in the data folder; what else lies there belongs to the running engine, or is not ours. */
export const dataEntries = [databaseName, 'studies', 'jobs', 'checkpoints', 'exports', 'cache'] as const;

export interface DataFile {
  /** Below the data folder, with slashes on every system. */
  name: string;
  bytes: number;
  mtimeMs: number;
}

/** Weights, states to resume from and caches: large, and not what the numbers of a study are read from. */
export const isHeavy = (name: string): boolean =>
  /^(cache|checkpoints|exports)\//.test(name) ||
  /^jobs\/[^/]+\/(resume|states)\//.test(name) ||
  name.endsWith('.safetensors');

/**
 * All of them but the database, by name. Links are followed only directly in the data folder, where a user may have put a
 * folder on another disk. What goes away meanwhile is left out.
 */
export async function dataFiles(folder: string): Promise<DataFile[]> {
  const found: DataFile[] = [];
  for (const entry of dataEntries) if (entry !== databaseName) await collect(folder, entry, found);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function collect(root: string, name: string, found: DataFile[]): Promise<void> {
  const entries = await readdir(join(root, name), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = `${name}/${entry.name}`;
    if (entry.isDirectory()) await collect(root, path, found);
    else if (entry.isFile()) {
      const stats = await stat(join(root, path)).catch(() => null);
      if (stats !== null) found.push({ name: path, bytes: stats.size, mtimeMs: Math.floor(stats.mtimeMs) });
    }
  }
}

export function sizeOf(files: readonly { bytes: number }[]): { bytes: number; files: number } {
  return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), files: files.length };
}
