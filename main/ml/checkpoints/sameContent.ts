/** Whether two files hold the same bytes. */
import { open } from 'node:fs/promises';

const pieceBytes = 4 * 1024 * 1024;

/**
 * Stops at the first piece that differs.
 * @param bytes the size of both
 */
export async function sameContent(one: string, other: string, bytes: number, signal: AbortSignal): Promise<boolean> {
  const [a, b] = [await open(one, 'r'), await open(other, 'r').catch(() => null)];
  try {
    if (b === null) return false;
    const [left, right] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)];
    for (let at = 0; at < bytes; at += pieceBytes) {
      signal.throwIfAborted();
      const length = Math.min(pieceBytes, bytes - at);
      const [readA, readB] = await Promise.all([a.read(left, 0, length, at), b.read(right, 0, length, at)]);
      if (readA.bytesRead !== length || readB.bytesRead !== length) return false;
      if (left.compare(right, 0, length, 0, length) !== 0) return false;
    }
    return true;
  } finally {
    await a.close();
    await b?.close();
  }
}
