/** The stored bytes of a tensor, piece by piece; the next piece is read while one is worked on. */
import type { Checkpoint, CheckpointTensor } from './openCheckpoint.ts';

/** Long enough for a disk's full speed, and a multiple of every element's size. */
const pieceBytes = 4 * 1024 * 1024;

/** @throws the signal's reason between two pieces */
export async function* tensorPieces(
  checkpoint: Checkpoint,
  { name, begin, end }: Pick<CheckpointTensor, 'name' | 'begin' | 'end'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const bytes = end - begin;
  const read = (from: number): Promise<Uint8Array> | null => {
    if (from >= bytes) return null;
    const piece = checkpoint.readBytes(name, from, Math.min(pieceBytes, bytes - from));
    // Awaited one round later: until then a failure has nobody else to tell.
    piece.catch(() => undefined);
    return piece;
  };
  let next = read(0);
  for (let from = pieceBytes; next !== null; from += pieceBytes) {
    const piece = await next;
    signal.throwIfAborted();
    next = read(from);
    yield piece;
  }
}
