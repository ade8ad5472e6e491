/**
 * The header of a safetensors file, checked before anything is allocated by it.
 * Format: 8 bytes little-endian length n, n bytes of JSON beginning with '{', then the data
 * (https://huggingface.co/docs/safetensors, "Format"). Stricter than the reference library where it is silent: a
 * repeated name, an unknown field and unsafe names are refused.
 */
import { importFault, printable } from '../checkpoints/importCodes.ts';
import { dtypeBits } from './dtypes.ts';
import { JsonFault, JsonReader } from './jsonReader.ts';

/** The format's own limit. */
export const maxHeaderBytes = 100_000_000;
/** The largest published shards hold a few thousand. */
const maxTensors = 200_000;
/** PyTorch's own limit is 64 dimensions. */
const maxDimensions = 64;
/** The longest names in use are below 200 characters. */
const maxNameLength = 1024;
const maxMetadataEntries = 10_000;

export interface TensorEntry {
  name: string;
  dtype: string;
  shape: number[];
  elements: number;
  /** From the start of the data, as in the header. */
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  tensors: Map<string, TensorEntry>;
  metadata: Map<string, string>;
}

/**
 * @param text the header's JSON
 * @param dataBytes size of the file after the header
 * @param file name for messages
 * @throws CHECKPOINT_INVALID, CHECKPOINT_INCOMPLETE with an import code
 */
export function parseHeader(text: string, dataBytes: number, file: string): SafetensorsHeader {
  if (!text.startsWith('{')) throw importFault('bad_json', file, 'the header has to begin with "{"');
  const header: SafetensorsHeader = { tensors: new Map(), metadata: new Map() };
  let metadataSeen = false;
  try {
    const reader = new JsonReader(text);
    reader.object((name) => {
      if (header.tensors.has(name) || (name === '__metadata__' && metadataSeen)) {
        throw importFault('duplicate_name', file, `"${printable(name)}"`);
      }
      if (name === '__metadata__') {
        metadataSeen = true;
        readMetadata(reader, header.metadata, file);
        return;
      }
      checkName(name, file);
      if (header.tensors.size === maxTensors) throw importFault('too_many_tensors', file, `over ${maxTensors}`);
      header.tensors.set(name, readEntry(reader, name, file));
    });
    reader.end();
  } catch (error) {
    if (error instanceof JsonFault)
      throw importFault(error.duplicate ? 'duplicate_name' : 'bad_json', file, error.message);
    throw error;
  }
  for (const entry of header.tensors.values()) checkRange(entry, dataBytes, file);
  checkCoverage([...header.tensors.values()], dataBytes, file);
  return header;
}

/** Names become keys of maps and lines of tables, never paths; still, what no library writes is not let in. */
function checkName(name: string, file: string): void {
  const refuse = (reason: string): never => {
    throw importFault('unsafe_name', file, reason);
  };
  if (name === '') refuse('an empty name');
  if (name.length > maxNameLength)
    refuse(`a name of ${name.length} characters, beginning "${printable(name.slice(0, 40))}"`);
  if (/\p{Cc}/u.test(name)) refuse(`"${printable(name)}" holds control characters`);
  if (name === '__proto__') refuse('"__proto__"');
}

function readMetadata(reader: JsonReader, metadata: Map<string, string>, file: string): void {
  // The reference library reads null as absent.
  if (reader.peek() === 'n') return void reader.literal();
  if (reader.peek() !== '{') throw importFault('bad_metadata', file, '__metadata__ is not an object');
  reader.object((key) => {
    if (metadata.has(key)) throw importFault('duplicate_name', file, `metadata "${printable(key)}"`);
    if (reader.peek() !== '"') throw importFault('bad_metadata', file, `"${printable(key)}"`);
    if (metadata.size === maxMetadataEntries)
      throw importFault('bad_metadata', file, `over ${maxMetadataEntries} entries`);
    metadata.set(key, reader.string());
  });
}

function readEntry(reader: JsonReader, name: string, file: string): TensorEntry {
  const quoted = `"${printable(name)}"`;
  if (reader.peek() !== '{') throw importFault('bad_json', file, `the record of ${quoted} is not an object`);
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  reader.object((field) => {
    const again = (value: unknown): void => {
      if (value !== undefined) throw importFault('duplicate_name', file, `the field ${field} of ${quoted}`);
    };
    if (field === 'dtype') {
      again(dtype);
      dtype = readDtype(reader, quoted, file);
    } else if (field === 'shape') {
      again(shape);
      shape = readShape(reader, quoted, file);
    } else if (field === 'data_offsets') {
      again(offsets);
      offsets = readOffsets(reader, quoted, file);
    } else throw importFault('bad_json', file, `the unknown field "${printable(field)}" of ${quoted}`);
  });
  if (dtype === undefined) throw importFault('bad_dtype', file, `${quoted} has no dtype`);
  if (shape === undefined) throw importFault('bad_shape', file, `${quoted} has no shape`);
  if (offsets === undefined) throw importFault('bad_offsets', file, `${quoted} has no data_offsets`);
  const elements = countElements(shape, quoted, file);
  return { name, dtype, shape, elements, begin: offsets[0]!, end: offsets[1]! };
}

function readDtype(reader: JsonReader, quoted: string, file: string): string {
  if (reader.peek() !== '"') throw importFault('bad_dtype', file, `the dtype of ${quoted} is not a text`);
  const dtype = reader.string();
  if (dtypeBits(dtype) === undefined) throw importFault('bad_dtype', file, `"${printable(dtype, 40)}" of ${quoted}`);
  return dtype;
}

function readShape(reader: JsonReader, quoted: string, file: string): number[] {
  if (reader.peek() !== '[') throw importFault('bad_shape', file, `the shape of ${quoted} is not a list`);
  const shape: number[] = [];
  reader.array(() => {
    const size = readSize(reader);
    if (size === null) throw importFault('bad_shape', file, `a size of ${quoted} is not a whole number`);
    if (!Number.isSafeInteger(size)) throw importFault('overflow', file, quoted);
    if (shape.length === maxDimensions)
      throw importFault('bad_shape', file, `${quoted} has over ${maxDimensions} dimensions`);
    shape.push(size);
  });
  return shape;
}

function readOffsets(reader: JsonReader, quoted: string, file: string): number[] {
  if (reader.peek() !== '[') throw importFault('bad_offsets', file, `the offsets of ${quoted} are not a list`);
  const offsets: number[] = [];
  reader.array(() => {
    const offset = readSize(reader);
    if (offset === null || !Number.isSafeInteger(offset)) {
      throw importFault('bad_offsets', file, `an offset of ${quoted} is not a whole number below 2^53`);
    }
    if (offsets.length === 2) throw importFault('bad_offsets', file, `${quoted} has more than two`);
    offsets.push(offset);
  });
  if (offsets.length !== 2) throw importFault('bad_offsets', file, `${quoted} needs two, found ${offsets.length}`);
  return offsets;
}

/** A size written in plain digits; null for anything else (a sign, a fraction, an exponent, another type). */
function readSize(reader: JsonReader): number | null {
  if (/^["{[tfn]/.test(reader.peek())) return null;
  const text = reader.numberText();
  return /^[0-9]+$/.test(text) ? Number(text) : null;
}

function countElements(shape: number[], quoted: string, file: string): number {
  if (shape.includes(0)) return 0;
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements))
      throw importFault('overflow', file, `${quoted} has shape [${shape.join(', ')}]`);
  }
  return elements;
}

function checkRange(entry: TensorEntry, dataBytes: number, file: string): void {
  const quoted = `"${printable(entry.name)}"`;
  const bits = entry.elements * dtypeBits(entry.dtype)!;
  if (!Number.isSafeInteger(bits)) throw importFault('overflow', file, quoted);
  if (entry.begin > entry.end) throw importFault('bad_offsets', file, `${quoted} ends before it begins`);
  const bytes = entry.end - entry.begin;
  if (bits !== bytes * 8) {
    const needed = `${entry.dtype} [${entry.shape.join(', ')}] needs ${(bits / 8).toLocaleString('en')} bytes`;
    throw importFault('size_mismatch', file, `${quoted}, ${needed}, has ${bytes.toLocaleString('en')}`);
  }
  if (entry.end > dataBytes) {
    const expected = `expected ${entry.end.toLocaleString('en')} bytes of data for ${quoted}`;
    throw importFault('out_of_range', file, `${expected}, found ${dataBytes.toLocaleString('en')}`);
  }
}

/** Sorted by offset, the tensors have to cover the data from the first byte to the last, each byte once. */
function checkCoverage(entries: TensorEntry[], dataBytes: number, file: string): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin < covered) throw importFault('overlap', file, `"${printable(name)}" and the tensor before it`);
    if (begin > covered)
      throw importFault('gap', file, `${(begin - covered).toLocaleString('en')} bytes before "${printable(name)}"`);
    covered = end;
  }
  if (covered < dataBytes) {
    throw importFault('gap', file, `${(dataBytes - covered).toLocaleString('en')} bytes after the last tensor`);
  }
}
