/**
 * One decomposition as a file, little-endian: a header of 64 bytes, then s, u and vt as they lie in memory.
 *
 *   0 "ROTASVD1" · 8 bytes of an element (4 or 8), rows, columns, rank: 4 x u32 · 24 residual, orthogonality: 2 x f64 ·
 *   40 CRC-32 of the header (with 0 here) and of everything after it: u32 · zeros
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { NewFile } from '../../compute/newFile.ts';
import type { Precision } from '../../contract/spectral.ts';
import type { Factorisation } from './decompose.ts';
import { newReal, type RealOf } from './linearAlgebra.ts';

const magic = 'ROTASVD1';
const headerBytes = 64;
const checksumAt = 40;
/** Written, read and summed at once: few waits for the file system, and the event loop is held for 10 ms at most. */
const chunkBytes = 64 * 2 ** 20;

type Shape = { rows: number; columns: number };

export const elementBytes = (precision: Precision): number => (precision === 'float32' ? 4 : 8);

/** Size of the file that a matrix of this shape gets. */
export function decompositionBytes({ rows, columns }: Shape, precision: Precision): number {
  const rank = Math.min(rows, columns);
  return headerBytes + elementBytes(precision) * rank * (1 + rows + columns);
}

export async function writeDecomposition<P extends Precision>(
  file: NewFile,
  precision: P,
  factorisation: Factorisation<RealOf<P>>,
): Promise<void> {
  const header = Buffer.alloc(headerBytes);
  const { rows, columns, rank, s, u, vt, residual, orthogonality } = factorisation;
  header.write(magic, 'latin1');
  [elementBytes(precision), rows, columns, rank].forEach((value, i) => header.writeUInt32LE(value, 8 + 4 * i));
  header.writeDoubleLE(residual, 24);
  header.writeDoubleLE(orthogonality, 32);
  let checksum = crc32(header);
  await file.append(header);
  for (const chunk of chunksOf([s, u, vt])) {
    checksum = crc32(chunk, checksum);
    await file.append(chunk);
  }
  header.writeUInt32LE(checksum, checksumAt);
  await file.finish(header);
}

/** @returns null for anything but a whole, undamaged file of this precision */
export async function readDecomposition<P extends Precision>(
  handle: FileHandle,
  precision: P,
): Promise<Factorisation<RealOf<P>> | null> {
  const header = Buffer.alloc(headerBytes);
  if (!(await readFully(handle, header, 0)) || header.toString('latin1', 0, 8) !== magic) return null;
  const [bytes, rows, columns, rank] = [0, 1, 2, 3].map((i) => header.readUInt32LE(8 + 4 * i)) as [number, number, number, number]; // prettier-ignore
  // the size is checked before anything is allocated by what a damaged header says
  const { size } = await handle.stat();
  if (bytes !== elementBytes(precision) || rank !== Math.min(rows, columns)) return null;
  if (size !== decompositionBytes({ rows, columns }, precision)) return null;
  const [s, u, vt] = [rank, rows * rank, rank * columns].map((length) => newReal(precision, length)) as [RealOf<P>, RealOf<P>, RealOf<P>]; // prettier-ignore
  const expected = header.readUInt32LE(checksumAt);
  header.writeUInt32LE(0, checksumAt);
  let checksum = crc32(header);
  let position = headerBytes;
  for (const chunk of chunksOf([s, u, vt])) {
    if (!(await readFully(handle, chunk, position))) return null;
    checksum = crc32(chunk, checksum);
    position += chunk.byteLength;
  }
  if (checksum !== expected) return null;
  return { rows, columns, rank, s, u, vt, residual: header.readDoubleLE(24), orthogonality: header.readDoubleLE(32) };
}

/** Views of the arrays' bytes. */
function* chunksOf(arrays: readonly (Float32Array | Float64Array)[]): Generator<Uint8Array> {
  for (const { buffer, byteOffset, byteLength } of arrays)
    for (let from = 0; from < byteLength; from += chunkBytes)
      yield new Uint8Array(buffer, byteOffset + from, Math.min(chunkBytes, byteLength - from));
}

/** @returns whether the file was long enough */
async function readFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.byteLength - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}
