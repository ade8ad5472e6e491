/**
 * Reads a safetensors file, one tensor at a time. Nothing is allocated by what the header claims before it is checked
 * against the size of the file.
 */
import { basename } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../contract/errors.ts';
import { importFault, printable } from '../checkpoints/importCodes.ts';
import { isFloatDtype, widenToFloat32 } from './dtypes.ts';
import { type TensorEntry, maxHeaderBytes, parseHeader } from './header.ts';
import { otherFormat, signatureBytes } from './otherFormats.ts';
import { openRegularFile, readExactly } from './regularFile.ts';

const lengthBytes = 8;

export interface SafetensorsFile {
  path: string;
  /** Size of the file. */
  bytes: number;
  tensors: ReadonlyMap<string, TensorEntry>;
  metadata: ReadonlyMap<string, string>;
  /** The stored bytes of one tensor, or of `length` bytes of it from `from`. @throws NOT_FOUND no such tensor */
  readBytes(name: string, from?: number, length?: number): Promise<Uint8Array>;
  /**
   * One tensor as float32, row-major; F32, F16 and BF16 exactly, F64 rounded to nearest.
   * @throws NOT_FOUND no such tensor; CHECKPOINT_UNSUPPORTED not floating point (integers, booleans, 8-bit floats)
   */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a file and checks its header. The caller closes it.
 * @param name how messages call it; the file name by default
 * @throws CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE, CHECKPOINT_UNSUPPORTED with an import code
 */
export async function openSafetensors(path: string, name = basename(path)): Promise<SafetensorsFile> {
  const { handle, bytes } = await openRegularFile(path, name);
  try {
    const headerBytes = headerLength(await readExactly(handle, 0, Math.min(bytes, signatureBytes), name), bytes, name);
    const text = decodeUtf8(await readExactly(handle, lengthBytes, headerBytes, name), name);
    const dataStart = lengthBytes + headerBytes;
    const { tensors, metadata } = parseHeader(text, bytes - dataStart, name);
    return tensorFile({ path, name, bytes, handle, dataStart, tensors, metadata });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The length field, checked against the file; what is not a safetensors file at all is recognised here.
 * @param start the first `signatureBytes` of the file, or all of a shorter one
 * @param bytes size of the file
 */
export function headerLength(start: Buffer, bytes: number, name: string): number {
  const claimed = start.length >= lengthBytes ? start.readBigUInt64LE(0) : null;
  const fits = claimed !== null && claimed <= BigInt(Math.min(maxHeaderBytes, bytes - lengthBytes));
  if (fits && (claimed === 0n || start[lengthBytes] === 0x7b)) {
    if (claimed === 0n) throw importFault('bad_json', name, 'the header is empty');
    return Number(claimed);
  }
  const other = otherFormat(start);
  if (other !== null)
    throw importFault('not_safetensors', name, other.what, other.next === null ? {} : { next: other.next });
  if (claimed === null) throw importFault('truncated', name, `${bytes} bytes, where even an empty file has 10`);
  if (claimed > BigInt(maxHeaderBytes)) {
    throw importFault('header_too_large', name, `${claimed.toLocaleString('en')} bytes, where 100 MB are allowed`);
  }
  if (!fits) {
    const expected = `${(claimed + BigInt(lengthBytes)).toLocaleString('en')} bytes for the header alone`;
    throw importFault('truncated', name, `expected ${expected}, found ${bytes.toLocaleString('en')}`);
  }
  return Number(claimed);
}

/** @throws CHECKPOINT_INVALID bad_utf8 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw importFault('bad_utf8', name);
  }
}

interface OpenFile {
  path: string;
  name: string;
  bytes: number;
  handle: FileHandle;
  dataStart: number;
  tensors: Map<string, TensorEntry>;
  metadata: Map<string, string>;
}

function tensorFile({ path, name, bytes, handle, dataStart, tensors, metadata }: OpenFile): SafetensorsFile {
  const entryOf = (tensor: string): TensorEntry => {
    const entry = tensors.get(tensor);
    if (entry === undefined) throw new AppError('NOT_FOUND', `${name} holds no tensor "${printable(tensor)}".`);
    return entry;
  };
  const readBytes = async (tensor: string, from = 0, length?: number): Promise<Uint8Array> => {
    const { begin, end } = entryOf(tensor);
    const count = length ?? end - begin - from;
    if (from < 0 || count < 0 || begin + from + count > end) {
      throw new RangeError(`bytes ${from} to ${from + count} of "${printable(tensor)}", which has ${end - begin}`);
    }
    return readExactly(handle, dataStart + begin + from, count, name);
  };
  return {
    path,
    bytes,
    tensors,
    metadata,
    readBytes,
    read: async (tensor) => {
      const { dtype } = entryOf(tensor);
      if (!isFloatDtype(dtype)) {
        throw new AppError(
          'CHECKPOINT_UNSUPPORTED',
          `"${printable(tensor)}" holds ${dtype} values, not floating point.`,
          {
            hint: 'Save the weights as F32, F16 or BF16.',
          },
        );
      }
      return widenToFloat32(dtype, await readBytes(tensor));
    },
    close: () => handle.close(),
  };
}
