/**
 * The engine's files against the list that was made when the app was packaged. Electron's own integrity check covers
 * the archive that this list lies in, not the engine beside it, which plain Node runs. Knows nothing of Electron.
 */
import { createHash } from 'node:crypto';
import { createReadStream, promises as files } from 'node:fs';
import { join } from 'node:path';

/** Path inside the engine's folder, with `/`, to the file's SHA-256 in hex. */
export type EngineFileList = Record<string, string>;

/** Side by side: the disk is the limit, and the window has to draw meanwhile. */
const readers = 4;

/**
 * Reads every file once.
 * @returns what differs, one line a file: changed, missing, or not on the list; empty when all is as shipped
 */
export async function engineFileFaults(folder: string, list: EngineFileList): Promise<string[]> {
  const faults: string[] = [];
  const present = new Set(await filesBelow(folder));
  for (const path of present) if (!(path in list)) faults.push(`${path} was added.`);
  const waiting = Object.entries(list);
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [path, sha256] = next;
      if (!present.has(path)) faults.push(`${path} is missing.`);
      else if ((await sha256OfFile(join(folder, path))) !== sha256) faults.push(`${path} was changed.`);
    }
  };
  await Promise.all(Array.from({ length: readers }, work));
  return faults.sort();
}

/** For the list, at packaging. */
export async function listEngineFiles(folder: string): Promise<EngineFileList> {
  const list: EngineFileList = {};
  for (const path of (await filesBelow(folder)).sort()) list[path] = await sha256OfFile(join(folder, path));
  return list;
}

/** Files and links, relative, with `/`. */
async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await files.readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else found.push(path);
  }
  return found;
}

/** Larger ones (Node itself) are read in parts, bytes. */
const wholeBytes = 4 * 1024 * 1024;

/** Empty for what cannot be read. */
async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    if ((await files.stat(path)).size <= wholeBytes) return hash.update(await files.readFile(path)).digest('hex');
    for await (const part of createReadStream(path, { highWaterMark: wholeBytes })) hash.update(part as Buffer);
    return hash.digest('hex');
  } catch {
    return '';
  }
}
