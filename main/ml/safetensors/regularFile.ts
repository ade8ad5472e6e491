/** The only place where a checkpoint's files are opened. */
import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { importFault } from '../checkpoints/importCodes.ts';

export interface RegularFile {
  handle: FileHandle;
  bytes: number;
  stats: Stats;
}

/**
 * Opens an ordinary file for reading; a pipe or device is refused, not waited for.
 * @param name how messages call it
 * @throws CHECKPOINT_INVALID not_found, unreadable, not_a_file
 */
export async function openRegularFile(path: string, name: string): Promise<RegularFile> {
  let handle: FileHandle;
  try {
    // Windows has no O_NONBLOCK, and no named pipes in folders.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw openFault(error, name);
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw importFault('not_a_file', name);
    return { handle, bytes: stats.size, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The fault that a failed file operation stands for. */
export function openFault(error: unknown, name: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return importFault('not_found', name, undefined, { cause: error });
  // ENXIO: a socket, or a pipe without a writer.
  if (code === 'ENXIO' || code === 'EISDIR') return importFault('not_a_file', name, undefined, { cause: error });
  return importFault('unreadable', name, code ?? String(error), { cause: error });
}

/**
 * Reads `length` bytes from `position`.
 * @throws CHECKPOINT_INCOMPLETE truncated, when the file ends before
 */
export async function readExactly(handle: FileHandle, position: number, length: number, name: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(buffer, done, Math.min(length - done, 1 << 30), position + done));
    } catch (error) {
      throw openFault(error, name);
    }
    if (bytesRead === 0) throw importFault('truncated', name, `it ends at byte ${position + done}`);
    done += bytesRead;
  }
  return buffer;
}
