/**
 * One pass over the bytes of a tensor, in pieces: its hash, how many of its values are NaN or infinite, and the Frobenius
 * norm of the others. A tensor is never in memory as a whole.
 */
import type { TensorDigest } from '../../contract/catalogue.ts';
import { float16ToFloat32Bits } from '../safetensors/dtypes.ts';
import type { Checkpoint, CheckpointTensor } from './openCheckpoint.ts';
import { startTensorHash } from './tensorHash.ts';
import { tensorPieces } from './tensorPieces.ts';
import { valueCounter } from './valueScan.ts';

interface Sums {
  nan: number;
  infinite: number;
  squares: number;
}
type Summing = (bytes: Uint8Array, sums: Sums) => void;

/**
 * @param onBytes told of every piece that is done
 * @returns the norm is null for types other than F32, F16, BF16 and F64, and when it is beyond float64
 */
export async function digestTensor(
  checkpoint: Checkpoint,
  tensor: CheckpointTensor,
  options: { signal: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<TensorDigest> {
  const { name, dtype } = tensor;
  const hash = startTensorHash(tensor);
  const sums: Sums = { nan: 0, infinite: 0, squares: 0 };
  const sum = summing.get(dtype)?.();
  const count = sum ? undefined : valueCounter(dtype);
  const odd = { tensor: name, nan: 0, infinite: 0, notBoolean: 0 };
  for await (const piece of tensorPieces(checkpoint, tensor, options.signal)) {
    hash.update(piece);
    if (sum) {
      // One partial sum a piece: rounding grows with the pieces, not with the values.
      const partial: Sums = { nan: 0, infinite: 0, squares: 0 };
      sum(piece, partial);
      sums.nan += partial.nan;
      sums.infinite += partial.infinite;
      sums.squares += partial.squares;
    } else count?.(new DataView(piece.buffer, piece.byteOffset, piece.byteLength), odd);
    options.onBytes?.(piece.byteLength);
  }
  const norm = Math.sqrt(sums.squares);
  return {
    name,
    hash: hash.digest('hex'),
    norm: sum && Number.isFinite(norm) ? norm : null,
    nan: sums.nan + odd.nan,
    infinite: sums.infinite + odd.infinite,
  };
}

/** A view on the bytes as numbers; copied when they do not lie at a multiple of the number's size. */
const aligned = (bytes: Uint8Array, size: number): Uint8Array =>
  bytes.byteOffset % size === 0 ? bytes : bytes.slice();

function sumSingles(bytes: Uint8Array, sums: Sums): void {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 4);
  const values = new Float32Array(buffer, byteOffset, byteLength / 4);
  for (let i = 0; i < values.length; i++) addValue(values[i]!, sums);
}

function sumDoubles(bytes: Uint8Array, sums: Sums): void {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 8);
  const values = new Float64Array(buffer, byteOffset, byteLength / 8);
  for (let i = 0; i < values.length; i++) addValue(values[i]!, sums);
}

function addValue(value: number, sums: Sums): void {
  if (value - value === 0) sums.squares += value * value;
  else if (value === value) sums.infinite++;
  else sums.nan++;
}

/** Every 16-bit value by its bits: a table is faster than widening each. */
function tableOf(toSingleBits: (half: number) => number): Float64Array {
  const bits = new Uint32Array(0x10000);
  for (let half = 0; half < bits.length; half++) bits[half] = toSingleBits(half);
  return Float64Array.from(new Float32Array(bits.buffer));
}

function halfSumming(toSingleBits: (half: number) => number): () => Summing {
  let table: Float64Array | undefined;
  return () => {
    const values = (table ??= tableOf(toSingleBits));
    return (bytes, sums) => {
      const { buffer, byteOffset, byteLength } = aligned(bytes, 2);
      const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
      for (let i = 0; i < halves.length; i++) addValue(values[halves[i]!]!, sums);
    };
  };
}

const summing = new Map<string, () => Summing>([
  ['F32', () => sumSingles],
  ['F64', () => sumDoubles],
  ['BF16', halfSumming((half) => half << 16)],
  ['F16', halfSumming(float16ToFloat32Bits)],
]);
