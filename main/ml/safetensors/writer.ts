/**
 * Writes a safetensors file: the same tensors give the same bytes. Tensors lie in the order of their names, the header
 * is padded with blanks so that the data begin at a multiple of 8, as the reference library does.
 */
import { open } from 'node:fs/promises';
import { type WrittenDtype, dtypeBits, encodeFloats } from './dtypes.ts';

const alignmentBytes = 8;

export interface WrittenTensor {
  shape: readonly number[];
  /** Row-major. */
  data: Float32Array;
}

/** @returns the 8 length bytes and the padded header of these tensors, in the order given */
export function encodeHeader(
  tensors: readonly (readonly [string, WrittenTensor])[],
  dtype: WrittenDtype,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  // JSON.stringify of pairs, not of an object: an object would sort names that look like numbers.
  const members: string[] = [];
  if (Object.keys(metadata).length > 0) members.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements !== data.length) {
      throw new RangeError(`"${name}" has ${data.length} values; its shape [${shape.join(', ')}] needs ${elements}.`);
    }
    const end = offset + (data.length * dtypeBits(dtype)!) / 8;
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const json = Buffer.from(`{${members.join(',')}}`, 'utf8');
  const length = Math.ceil(json.length / alignmentBytes) * alignmentBytes;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length), 0);
  json.copy(header, 8);
  return header;
}

/**
 * Creates `path` (it must not exist), writes, and flushes it to the disk.
 * @param tensors name -> shape and float32 values; F16 and BF16 round to nearest, ties to even
 * @param options.metadata `{ format: 'pt' }` by default, which transformers asks for
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WrittenTensor>,
  options: { dtype?: WrittenDtype; metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { dtype = 'F32', metadata = { format: 'pt' } } = options;
  const ordered = [...tensors].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const header = encodeHeader(ordered, dtype, metadata);
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(header);
    for (const [, { data }] of ordered) await handle.writeFile(encodeFloats(dtype, data));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
