/** Counts the values of a checkpoint that no computation can use: NaN, infinities, booleans other than 0 and 1. */
import type { Checkpoint, CheckpointTensor } from './openCheckpoint.ts';

/** Larger checkpoints are not read at import: it would take longer than a drop may. */
export const maxScannedBytes = 64_000_000;
const chunkBytes = 1024 * 1024;

export interface OddValues {
  tensor: string;
  nan: number;
  infinite: number;
  /** BOOL bytes other than 0 and 1. */
  notBoolean: number;
}

/** @returns null when the checkpoint is larger than `maxBytes`; else the tensors with such values */
export async function scanValues(checkpoint: Checkpoint, maxBytes = maxScannedBytes): Promise<OddValues[] | null> {
  if (checkpoint.bytes > maxBytes) return null;
  const found: OddValues[] = [];
  for (const tensor of checkpoint.tensors.values()) {
    const odd = await scanTensor(checkpoint, tensor);
    if (odd.nan + odd.infinite + odd.notBoolean > 0) found.push(odd);
  }
  return found;
}

async function scanTensor(checkpoint: Checkpoint, tensor: CheckpointTensor): Promise<OddValues> {
  const odd: OddValues = { tensor: tensor.name, nan: 0, infinite: 0, notBoolean: 0 };
  const count = counters.get(tensor.dtype);
  if (count === undefined) return odd;
  const bytes = tensor.end - tensor.begin;
  for (let from = 0; from < bytes; from += chunkBytes) {
    const chunk = await checkpoint.readBytes(tensor.name, from, Math.min(chunkBytes, bytes - from));
    count(new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), odd);
  }
  return odd;
}

type Counter = (view: DataView, odd: OddValues) => void;

/** Floats by their bits without the sign: equal to `infinity` is infinite, above it is NaN. */
function floatCounter(size: number, infinity: number, magnitudeAt: (view: DataView, at: number) => number): Counter {
  return (view, odd) => {
    for (let at = 0; at < view.byteLength; at += size) {
      const magnitude = magnitudeAt(view, at);
      if (magnitude === infinity) odd.infinite++;
      else if (magnitude > infinity) odd.nan++;
    }
  };
}

/** 8-bit types without an infinity: one pattern is NaN. */
function patternCounter(mask: number, nan: number): Counter {
  return (view, odd) => {
    for (let at = 0; at < view.byteLength; at++) if ((view.getUint8(at) & mask) === nan) odd.nan++;
  };
}

const single = floatCounter(4, 0x7f800000, (view, at) => view.getUint32(at, true) & 0x7fffffff);
const half = (view: DataView, at: number): number => view.getUint16(at, true) & 0x7fff;

/** Counts in a run of whole elements of this type; undefined for types whose every value is in order. */
export const valueCounter = (dtype: string): Counter | undefined => counters.get(dtype);

/** Chunks hold whole elements: every size divides `chunkBytes`. */
const counters = new Map<string, Counter>([
  ['F32', single],
  // A real and an imaginary part.
  ['C64', single],
  ['BF16', floatCounter(2, 0x7f80, half)],
  ['F16', floatCounter(2, 0x7c00, half)],
  ['F8_E5M2', floatCounter(1, 0x7c, (view, at) => view.getUint8(at) & 0x7f)],
  ['F8_E4M3', patternCounter(0x7f, 0x7f)],
  ['F8_E8M0', patternCounter(0xff, 0xff)],
  ['F8_E4M3FNUZ', patternCounter(0xff, 0x80)],
  ['F8_E5M2FNUZ', patternCounter(0xff, 0x80)],
  ['F64', countDoubles],
  ['BOOL', countBooleans],
]);

function countDoubles(view: DataView, odd: OddValues): void {
  for (let at = 0; at < view.byteLength; at += 8) {
    const value = view.getFloat64(at, true);
    if (Number.isNaN(value)) odd.nan++;
    else if (!Number.isFinite(value)) odd.infinite++;
  }
}

function countBooleans(view: DataView, odd: OddValues): void {
  for (let at = 0; at < view.byteLength; at++) if (view.getUint8(at) > 1) odd.notBoolean++;
}
