/**
 * What happened to the entries of one matrix from a reference to a target: one pass over both by blocks of rows, so that
 * neither is ever held whole. Sums in float64.
 */
import { newLike, type RealArray } from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import type { Factorisation } from './decompose.ts';
import { addProductAsync } from './linearAlgebra.ts';
import { throwIfCancelled } from './sideBySide.ts';
import type { TensorSource } from './tensorSource.ts';

export interface WeightChange {
  referenceNorm: number;
  changeNorm: number;
  changedShare: number;
  changedAboveBf16Share: number;
  bf16Floor: number;
  /** sum_i (u_i^T dW v_i)^2 / ||dW||_F^2 with the reference's vectors; 0 where nothing changed. */
  valueEnergyShare: number;
  /** cos(W_target - W_reference, W_restoration - W_reference); null where one of them is 0, or without a third matrix. */
  restorationCosine: number | null;
}

export interface ChangedMatrix {
  name: string;
  reference: TensorSource;
  target: TensorSource;
  restoration: TensorSource | null;
}

/** Elements of a block: two of them beside their product stay far below any matrix worth streaming. */
const blockElements = 2 ** 21;

/** @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE naming the weight; CANCELLED */
export async function weightChange<T extends RealArray>(
  { name, reference, target, restoration }: ChangedMatrix,
  vectors: Factorisation<T>,
  signal?: AbortSignal,
): Promise<WeightChange> {
  const { rows, columns } = vectors;
  const step = Math.max(1, Math.floor(blockElements / columns));
  const totals = new EntryTotals();
  const values = new ValueEnergy(vectors);
  for (let from = 0; from < rows; from += step) {
    throwIfCancelled(signal);
    const count = Math.min(step, rows - from);
    const before = (await reference.readRows(name, from, count)).data;
    const after = (await target.readRows(name, from, count)).data;
    const back = restoration && (await restoration.readRows(name, from, count)).data;
    if (totals.add(before, after, back)) await values.add(before, after, from, count);
  }
  if (!totals.isFinite)
    throw new AppError('NOT_FINITE', `"${name}" holds values that are not finite numbers.`, {
      hint: 'Check the checkpoints for a diverged training run.',
      details: { weight: name },
    });
  return totals.result(values.sum());
}

/** Spacing of bfloat16 numbers around a float32 with these exponent bits: 8 significant bits. */
const bf16Steps = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 127 - 7));

class EntryTotals {
  #entries = 0;
  #changed = 0;
  #changedAboveBf16 = 0;
  #reference = 0;
  #change = 0;
  #rounding = 0;
  #steps = 0;
  #restoration = 0;
  #product = 0;
  #hasRestoration = false;

  /** @returns whether any entry has changed */
  add(before: Float32Array, after: Float32Array, back: Float32Array | null): boolean {
    const changedBefore = this.#changed;
    const bits = new Uint32Array(before.buffer, before.byteOffset, before.length);
    for (let i = 0; i < before.length; i++) {
      const w = before[i]!;
      const step = w === 0 ? 0 : bf16Steps[(bits[i]! >>> 23) & 255]!;
      const scaled = step === 0 ? 0 : w / step;
      // the distance to the nearest multiple of the step: what rounding to bfloat16 takes
      const rounding = (scaled - Math.round(scaled)) * step;
      const change = after[i]! - w;
      this.#reference += w * w;
      this.#rounding += rounding * rounding;
      this.#steps += step * step;
      if (change === 0) continue;
      this.#changed++;
      if (Math.abs(change) > step / 2) this.#changedAboveBf16++;
      this.#change += change * change;
    }
    this.#entries += before.length;
    if (back) this.#addRestoration(before, after, back);
    return this.#changed > changedBefore;
  }

  #addRestoration(before: Float32Array, after: Float32Array, back: Float32Array): void {
    this.#hasRestoration = true;
    for (let i = 0; i < before.length; i++) {
      const wanted = back[i]! - before[i]!;
      this.#restoration += wanted * wanted;
      this.#product += wanted * (after[i]! - before[i]!);
    }
  }

  get isFinite(): boolean {
    return Number.isFinite(this.#reference + this.#change + this.#restoration);
  }

  result(valueEnergy: number): WeightChange {
    const sizes = Math.sqrt(this.#change) * Math.sqrt(this.#restoration);
    // A matrix that is stored in bfloat16 has been rounded: expect the mean square error of a uniform remainder.
    const rounding = this.#rounding > 0 ? this.#rounding : this.#steps / 12;
    return {
      referenceNorm: Math.sqrt(this.#reference),
      changeNorm: Math.sqrt(this.#change),
      changedShare: this.#changed / this.#entries,
      changedAboveBf16Share: this.#changedAboveBf16 / this.#entries,
      bf16Floor: this.#reference === 0 ? 0 : Math.sqrt(rounding / this.#reference),
      valueEnergyShare: this.#change === 0 ? 0 : valueEnergy / this.#change,
      restorationCosine: this.#hasRestoration && sizes > 0 ? this.#product / sizes : null,
    };
  }
}

/** u_i^T dW v_i, summed over blocks of rows: (dW V) times u, entry by entry. */
class ValueEnergy<T extends RealArray> {
  readonly #vectors: Factorisation<T>;
  readonly #diagonal: Float64Array;

  constructor(vectors: Factorisation<T>) {
    this.#vectors = vectors;
    this.#diagonal = new Float64Array(vectors.rank);
  }

  async add(before: Float32Array, after: Float32Array, from: number, count: number): Promise<void> {
    const { u, vt, rank, columns } = this.#vectors;
    const change = newLike(u, before.length);
    for (let i = 0; i < change.length; i++) change[i] = after[i]! - before[i]!;
    const moved = newLike(u, count * rank);
    const transposed = { data: vt, stride: columns, transpose: true };
    await addProductAsync(moved, 1, { data: change, stride: columns }, transposed, [count, columns, rank]);
    const start = from * rank;
    for (let row = 0; row < count * rank; row += rank)
      for (let i = 0; i < rank; i++) this.#diagonal[i]! += moved[row + i]! * u[start + row + i]!;
  }

  sum(): number {
    return this.#diagonal.reduce((sum, x) => sum + x * x, 0);
  }
}
