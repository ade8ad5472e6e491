/** The folder of reference numbers, and a reader of its safetensors files that shares no code with what is under test. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export const fixturesFolder = path.resolve(process.env['ROTASCOPE_FIXTURES'] ?? 'tests/fixtures');

export const fixturePath = (...parts: string[]): string => path.join(fixturesFolder, ...parts);

export const hasFixture = (...parts: string[]): boolean => existsSync(fixturePath(...parts));

export function readJson<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(fixturePath(...parts), 'utf8')) as T;
}

/** Names of the folders in a fixture folder; empty when it is absent. */
export function foldersIn(...parts: string[]): string[] {
  if (!hasFixture(...parts)) return [];
  const entries = readdirSync(fixturePath(...parts), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

export interface FixtureTensor {
  shape: number[];
  /** Every dtype as float64: exact for F64, F32, BF16, and for integers up to 2^53. */
  data: Float64Array;
}

/** All tensors of one safetensors file. */
export function readTensors(...parts: string[]): Map<string, FixtureTensor> {
  const file = readFileSync(fixturePath(...parts));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, FixtureTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets;
    tensors.set(name, {
      shape: entry.shape,
      data: decode(file.subarray(8 + headerLength + begin, 8 + headerLength + end), entry.dtype),
    });
  }
  return tensors;
}

function decode(bytes: Buffer, dtype: string): Float64Array {
  const read = (size: number, at: (offset: number) => number): Float64Array => {
    return Float64Array.from({ length: bytes.length / size }, (_, i) => at(i * size));
  };
  switch (dtype) {
    case 'F64':
      return read(8, (offset) => bytes.readDoubleLE(offset));
    case 'F32':
      return read(4, (offset) => bytes.readFloatLE(offset));
    case 'BF16': {
      const word = new DataView(new ArrayBuffer(4));
      return read(2, (offset) => {
        word.setUint32(0, bytes.readUInt16LE(offset) << 16);
        return word.getFloat32(0);
      });
    }
    case 'I64':
      return read(8, (offset) => Number(bytes.readBigInt64LE(offset)));
    case 'I32':
      return read(4, (offset) => bytes.readInt32LE(offset));
    default:
      throw new Error(`dtype ${dtype} is not read by the tests`);
  }
}

/** The tensor of a name. @throws Error when it is not in the file */
export function tensor(tensors: Map<string, FixtureTensor>, name: string): FixtureTensor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`the fixture has no tensor ${name}`);
  return found;
}
