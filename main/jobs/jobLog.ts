/** The end of a job's worker.log. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What a page shows, bytes. */
const tailBytes = 256 * 1024;

export function readLogTail(file: string, bytes = tailBytes): { text: string; truncated: boolean } {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return { text: '', truncated: false };
  }
  try {
    const { size } = fstatSync(handle);
    const buffer = Buffer.alloc(Math.min(size, bytes));
    const read = readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    const truncated = size > bytes;
    const text = buffer.subarray(0, read).toString('utf8');
    return { text: truncated ? text.slice(text.indexOf('\n') + 1) : text, truncated };
  } finally {
    closeSync(handle);
  }
}

/** The last lines that say something, for the reason of a crash. */
export function lastLogLines(file: string, count: number): string[] {
  const lines = readLogTail(file, 16 * 1024).text.split('\n');
  return lines.filter((line) => line.trim() !== '').slice(-count);
}
