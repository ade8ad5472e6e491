/**
 * What the code under test asks the operating system for: the real `node:fs/promises`, with a record of every path and
 * of every buffer that a file is read into.
 */
import type { FileHandle } from 'node:fs/promises';

export interface FileAccess {
  /** Paths given to open, lstat, stat, realpath and readdir. */
  paths: string[];
  /** Paths that were opened. */
  opened: string[];
  /** Length of the longest buffer read into. */
  longestBuffer: number;
}

export const access: FileAccess = { paths: [], opened: [], longestBuffer: 0 };

export function forgetAccess(): void {
  access.paths = [];
  access.opened = [];
  access.longestBuffer = 0;
}

type Fs = typeof import('node:fs/promises');

/** For `vi.mock('node:fs/promises', ...)`. */
export async function recorded(importOriginal: () => Promise<Fs>): Promise<Fs> {
  const real = await importOriginal();
  const noting = <F extends (path: never, ...rest: never[]) => unknown>(call: F): F => {
    return ((path: never, ...rest: never[]) => {
      access.paths.push(String(path));
      return call(path, ...rest);
    }) as F;
  };
  const open: Fs['open'] = async (path, ...rest) => {
    access.paths.push(String(path));
    access.opened.push(String(path));
    return notingReads(await real.open(path, ...rest));
  };
  const { lstat, stat, realpath, readdir } = real;
  return {
    ...real,
    open,
    lstat: noting(lstat),
    stat: noting(stat),
    realpath: noting(realpath),
    readdir: noting(readdir),
  };
}

function notingReads(handle: FileHandle): FileHandle {
  const read = handle.read.bind(handle) as (buffer: Buffer, ...rest: unknown[]) => Promise<unknown>;
  handle.read = ((buffer: Buffer, ...rest: unknown[]) => {
    access.longestBuffer = Math.max(access.longestBuffer, buffer.byteLength);
    return read(buffer, ...rest);
  }) as FileHandle['read'];
  return handle;
}
