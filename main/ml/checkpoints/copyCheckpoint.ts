/**
 * Copies the files of a checkpoint into a folder of its own. A file gets its name when it is whole, the folder when all
 * files are: `<folder>.partial` until then, from where an interrupted copy goes on. A weight file that another copy holds
 * already is linked to it instead of stored again, after both have been compared byte by byte.
 */
import type { Stats } from 'node:fs';
import { link, mkdir, open, readFile, readdir, rename, rm, stat, statfs, truncate, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { AppError } from '../../contract/errors.ts';
import type { FileStamp } from '../../contract/catalogue.ts';
import { fileStamps } from './fileStamps.ts';
import { fileOfFolder } from './folderFiles.ts';
import type { Checkpoint } from './openCheckpoint.ts';
import { sameContent } from './sameContent.ts';

const pieceBytes = 4 * 1024 * 1024;
/** Which files an interrupted copy was of. */
const sourceName = '.source.json';
const unfinished = '.copying';

export interface CopyOptions {
  /** Must not exist; its parent may not either. */
  target: string;
  /** Other copies are in folders in here. */
  copiesFolder: string;
  signal: AbortSignal;
  /** Bytes of files done so far, of those of all files. */
  onProgress(done: number, total: number): void;
}

/** @throws DISK_FULL; CHECKPOINT_INCOMPLETE and others when the source cannot be read; the signal's reason */
export async function copyCheckpoint(
  checkpoint: Checkpoint,
  options: CopyOptions,
): Promise<{ copiedBytes: number; linkedBytes: number }> {
  const { target, signal } = options;
  const done = { copiedBytes: 0, linkedBytes: 0 };
  // A crash came between the last rename and saying so.
  if ((await statsOf(target)) !== null) return done;
  const partial = `${target}.partial`;
  const files = await fileStamps(checkpoint);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  try {
    await preparePartial(partial, files);
    for (const file of files) {
      signal.throwIfAborted();
      const source = (await fileOfFolder(checkpoint.place.root, file.name))!;
      const before = done.copiedBytes + done.linkedBytes;
      const onBytes = (bytes: number): void => options.onProgress(before + bytes, total);
      const linked = await copyFile(source, file, partial, { ...options, onBytes });
      done[linked ? 'linkedBytes' : 'copiedBytes'] += file.bytes;
      onBytes(file.bytes);
    }
    await rm(join(partial, sourceName));
    await rename(partial, target);
    await syncFolder(dirname(target));
    return done;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw diskFull(target, error);
  }
}

const diskFull = (target: string, cause?: unknown): AppError =>
  new AppError('DISK_FULL', `No space is left for ${target}.`, {
    hint: 'Free some disk space, then resume the copy; or use the checkpoint where it lies.',
    cause,
  });

/** Goes on with an interrupted copy of the same files; begins anew when they are others. */
async function preparePartial(partial: string, files: readonly FileStamp[]): Promise<void> {
  const source = JSON.stringify(files);
  const before = await readFile(join(partial, sourceName), 'utf8').catch(() => null);
  if (before !== source) await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFileAtomic(join(partial, sourceName), source);
  const { bavail, bsize } = await statfs(partial);
  const present = await Promise.all((await readdir(partial)).map((name) => statsOf(join(partial, name))));
  const presentBytes = present.reduce((sum, stats) => sum + (stats?.size ?? 0), 0);
  const needed = files.reduce((sum, { bytes }) => sum + bytes, 0) - presentBytes;
  if (needed > bavail * bsize) throw diskFull(partial);
}

/** @returns whether it was linked to a file of another copy */
async function copyFile(
  source: string,
  { name, bytes, mtimeMs, headerHash }: FileStamp,
  partial: string,
  options: CopyOptions & { onBytes(bytes: number): void },
): Promise<boolean> {
  const path = join(partial, name);
  const present = await statsOf(path);
  if (present !== null) return present.nlink > 1;
  if (headerHash !== null && (await linkToEqual(source, bytes, path, options))) return true;
  await copyBytes(source, bytes, `${path}${unfinished}`, options);
  await utimes(`${path}${unfinished}`, mtimeMs / 1000, mtimeMs / 1000);
  await rename(`${path}${unfinished}`, path);
  return false;
}

async function copyBytes(
  source: string,
  bytes: number,
  path: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes(bytes: number): void },
): Promise<void> {
  // Whole pieces of an interrupted copy stay: they were written in order.
  const whole = Math.floor(((await statsOf(path))?.size ?? 0) / pieceBytes) * pieceBytes;
  if (whole > 0) await truncate(path, whole);
  const from = await open(source, 'r');
  try {
    const to = await open(path, whole > 0 ? 'r+' : 'w');
    try {
      const piece = Buffer.allocUnsafeSlow(Math.max(1, Math.min(pieceBytes, bytes)));
      for (let at = whole; at < bytes;) {
        signal.throwIfAborted();
        const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, bytes - at), at);
        if (bytesRead === 0) throw shrunk(source);
        await to.write(piece, 0, bytesRead, at);
        at += bytesRead;
        onBytes(at);
      }
      await to.sync();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

const shrunk = (source: string): AppError =>
  new AppError('CHECKPOINT_INCOMPLETE', `${source} became shorter while it was copied.`, {
    hint: 'Wait until whatever writes it has ended, then copy it again.',
  });

async function linkToEqual(source: string, bytes: number, path: string, options: CopyOptions): Promise<boolean> {
  for (const candidate of await filesOfSize(options.copiesFolder, bytes)) {
    if (!(await sameContent(source, candidate, bytes, options.signal))) continue;
    try {
      await link(candidate, path);
      return true;
    } catch {
      // A file system without hard links, or a file with too many: it is copied.
      return false;
    }
  }
  return false;
}

/** Weight files of whole copies with this size; one path a stored file, however many links it has. */
async function filesOfSize(copiesFolder: string, bytes: number): Promise<string[]> {
  const found = new Map<number, string>();
  const folders = await readdir(copiesFolder, { withFileTypes: true }).catch(() => []);
  for (const folder of folders) {
    if (!folder.isDirectory() || folder.name.endsWith('.partial')) continue;
    for (const name of await readdir(join(copiesFolder, folder.name)).catch(() => [])) {
      if (!name.endsWith('.safetensors')) continue;
      const path = join(copiesFolder, folder.name, name);
      const stats = await statsOf(path);
      if (stats?.isFile() && stats.size === bytes) found.set(stats.ino, path);
    }
  }
  return [...found.values()];
}

const statsOf = (path: string): Promise<Stats | null> => stat(path).catch(() => null);

/** A rename is on the disk once its folder is; Windows cannot flush a folder and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
