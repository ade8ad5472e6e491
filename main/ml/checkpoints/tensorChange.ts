/** How far a tensor is from one of the same shape in another checkpoint: block by block, never a whole tensor. */
import type { TensorChange } from '../../contract/catalogue.ts';
import { dtypeBits, isFloatDtype, widenToFloat32 } from '../safetensors/dtypes.ts';
import type { Checkpoint, CheckpointTensor } from './openCheckpoint.ts';

/** A multiple of 8, so that blocks of types below a byte begin at a byte. */
const blockElements = 1024 * 1024;

interface Side {
  checkpoint: Checkpoint;
  tensor: CheckpointTensor;
}

/** Of tensors with equal hashes. */
export const noChange = (name: string): TensorChange => ({ name, changeNorm: 0, relativeChange: 0, changedShare: 0 });

/**
 * ||B - A||_F and ||B - A||_F / ||A||_F in float64, whatever the two floating-point types are.
 * @param a, b of the same name and shape
 * @param onBytes told of the bytes read from both sides
 * @returns other types than floats of 16 bits and more have a share of changed entries only
 */
export async function tensorChange(
  a: Side,
  b: Side,
  options: { signal: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<TensorChange> {
  const { name, elements } = a.tensor;
  if (elements === 0) return noChange(name);
  const isFloat = isFloatDtype(a.tensor.dtype) && isFloatDtype(b.tensor.dtype);
  if (!isFloat && a.tensor.dtype !== b.tensor.dtype)
    return { name, changeNorm: null, relativeChange: null, changedShare: null };
  let changed = 0;
  let changeSquares = 0;
  let squares = 0;
  for (let from = 0; from < elements; from += blockElements) {
    const count = Math.min(blockElements, elements - from);
    const [one, other] = await Promise.all([block(a, from, count), block(b, from, count)]);
    options.signal.throwIfAborted();
    if (isFloat) {
      const sums = compareValues(valuesOf(a.tensor.dtype, one), valuesOf(b.tensor.dtype, other));
      changed += sums.changed;
      changeSquares += sums.changeSquares;
      squares += sums.squares;
    } else changed += changedElements(one, other, count);
    options.onBytes?.(one.byteLength + other.byteLength);
  }
  const changedShare = changed / elements;
  if (!isFloat) return { name, changeNorm: null, relativeChange: null, changedShare };
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const relative = changeSquares === 0 ? 0 : Math.sqrt(changeSquares) / Math.sqrt(squares);
  return { name, changeNorm: finite(Math.sqrt(changeSquares)), relativeChange: finite(relative), changedShare };
}

function block({ checkpoint, tensor }: Side, from: number, count: number): Promise<Uint8Array> {
  const bits = dtypeBits(tensor.dtype)!;
  return checkpoint.readBytes(tensor.name, (from * bits) / 8, (count * bits) / 8);
}

function valuesOf(dtype: string, bytes: Uint8Array): Float32Array | Float64Array {
  if (dtype === 'F64') return new Float64Array(bytes.slice().buffer);
  if (!isFloatDtype(dtype)) throw new TypeError(`${dtype} is not floating point`);
  return widenToFloat32(dtype, bytes);
}

function compareValues(
  a: Float32Array | Float64Array,
  b: Float32Array | Float64Array,
): { changed: number; changeSquares: number; squares: number } {
  let changed = 0;
  let changeSquares = 0;
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    squares += x * x;
    if (x === y || (x !== x && y !== y)) continue;
    changed++;
    const change = y - x;
    changeSquares += change * change;
  }
  return { changed, changeSquares, squares };
}

function changedElements(a: Uint8Array, b: Uint8Array, count: number): number {
  const width = a.length / count;
  let changed = 0;
  for (let i = 0; i < count; i++) {
    const [from, to] = [Math.floor(i * width), Math.max(Math.floor(i * width) + 1, Math.floor((i + 1) * width))];
    for (let at = from; at < to; at++)
      if (a[at] !== b[at]) {
        changed++;
        break;
      }
  }
  return changed;
}
