/** Copies what is in a folder so that another copy can go on with it, and be compared: nothing is taken on trust. */
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, open, readdir, readlink, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../contract/errors.ts';
import { digester } from './writeBackup.ts';

interface CopyOptions {
  signal?: AbortSignal | undefined;
  /** Bytes that are in place, of files that were there already too. */
  onBytes?(count: number): void;
}

/**
 * Makes `to` what `from` is, a file or a folder: a file of the same size and time stays, every other one is written anew,
 * read again and compared. What `from` does not have goes.
 * @throws the signal's reason; CHECKPOINT_INCOMPLETE when a file was not written as it was read
 */
export async function copyTree(from: string, to: string, options: CopyOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  const link = await lstat(from);
  // Only what lies directly in the data folder is followed: a user may have put it on another disk.
  const stats = await stat(from);
  if (stats.isFile()) return copyFile(from, to, options);
  if (!stats.isDirectory()) return;
  await mkdir(to, { recursive: true, mode: link.isDirectory() ? link.mode : 0o700 });
  const entries = await readdir(from, { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  for (const name of await readdir(to)) if (!names.has(name)) await rm(join(to, name), { recursive: true });
  for (const entry of entries) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isSymbolicLink()) await copyLink(source, target);
    else if (entry.isFile() || entry.isDirectory()) await copyTree(source, target, options);
  }
}

async function copyLink(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await symlink(await readlink(from), to);
}

async function copyFile(from: string, to: string, { signal, onBytes }: CopyOptions): Promise<void> {
  const source = await stat(from);
  const mtimeMs = Math.floor(source.mtimeMs);
  const present = await stat(to).catch(() => null);
  if (present?.size === source.size && Math.floor(present.mtimeMs) === mtimeMs) {
    onBytes?.(source.size);
    return;
  }
  const partial = `${to}.moving`;
  const read = digester((count) => onBytes?.(count));
  const options = signal ? { signal } : {};
  // As long as it was when it was looked at: a log may grow.
  const content = source.size > 0 ? createReadStream(from, { end: source.size - 1 }) : createReadStream(from);
  await pipeline(content, read.stream, createWriteStream(partial, { mode: source.mode & 0o777 }), options);
  const handle = await open(partial, 'r+');
  await handle.sync().finally(() => handle.close());
  const written = digester(() => undefined);
  const nowhere = new Writable({ write: (_chunk, _encoding, next) => next() });
  await pipeline(createReadStream(partial), written.stream, nowhere, options);
  if (written.result().sha256 !== read.result().sha256)
    throw new AppError('CHECKPOINT_INCOMPLETE', `${partial} is not what was written to it.`, {
      hint: 'Check that disk, or choose another one.',
    });
  await utimes(partial, mtimeMs / 1000, mtimeMs / 1000);
  await rename(partial, to);
}
