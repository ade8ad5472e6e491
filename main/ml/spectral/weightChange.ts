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
  const step = Math.min(rows, Math.max(1, Math.floor(blockElements / columns)));
  const [blockBefore, blockAfter] = [new Float32Array(step * columns), new Float32Array(step * columns)];
  const blockBack = restoration && new Float32Array(step * columns);
  const totals = new EntryTotals();
  const values = new ValueEnergy(vectors, step);
  for (let from = 0; from < rows; from += step) {
    throwIfCancelled(signal);
    const length = Math.min(step, rows - from) * columns;
    const [before, after, back] = [blockBefore, blockAfter, blockBack].map((block) => block?.subarray(0, length));
    await reference.readInto(name, from, before!);
    await target.readInto(name, from, after!);
    if (back) await restoration!.readInto(name, from, back);
    if (totals.add(before!, after!, back)) await values.add(before!, after!, from);
  }
  if (!totals.isFinite)
    throw new AppError('NOT_FINITE', `"${name}" holds values that are not finite numbers.`, {
      hint: 'Check the checkpoints for a diverged training run.',
      details: { weight: name },
    });
  return totals.result(values.sum());
}

/** Spacing of bfloat16 numbers around a float32 with these exponent bits (8 significant bits), and its inverse. */
const bf16Steps = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 127 - 7));
const inverseSteps = bf16Steps.map((step) => 1 / step);
/** x + this - this is x rounded to a whole number, ties to even, for |x| < 2^51. */
const wholeNumbers = 1.5 * 2 ** 52;

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
  add(before: Float32Array, after: Float32Array, back: Float32Array | undefined): boolean {
    const bits = new Uint32Array(before.buffer, before.byteOffset, before.length);
    // Locals: V8 keeps them in registers, fields it would write at every entry.
    let [changed, changedAboveBf16, reference, change, rounding, steps] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < before.length; i++) {
      const w = before[i]!;
      const exponent = (bits[i]! >>> 23) & 255;
      const step = bf16Steps[exponent]!;
      const scaled = w * inverseSteps[exponent]!;
      const rest = (scaled - (scaled + wholeNumbers - wholeNumbers)) * step;
      const difference = after[i]! - w;
      reference += w * w;
      rounding += rest * rest;
      if (w !== 0) steps += step * step;
      if (difference === 0) continue;
      changed++;
      if (Math.abs(difference) > step / 2) changedAboveBf16++;
      change += difference * difference;
    }
    this.#entries += before.length;
    this.#changed += changed;
    this.#changedAboveBf16 += changedAboveBf16;
    this.#reference += reference;
    this.#change += change;
    this.#rounding += rounding;
    this.#steps += steps;
    if (back) this.#addRestoration(before, after, back);
    return changed > 0;
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
  readonly #change: T;
  readonly #moved: T;

  /** @param rows the most that are added at once */
  constructor(vectors: Factorisation<T>, rows: number) {
    this.#vectors = vectors;
    this.#diagonal = new Float64Array(vectors.rank);
    this.#change = newLike(vectors.u, rows * vectors.columns);
    this.#moved = newLike(vectors.u, rows * vectors.rank);
  }

  /** Whole rows from `from` on. */
  async add(before: Float32Array, after: Float32Array, from: number): Promise<void> {
    const { u, vt, rank, columns } = this.#vectors;
    const [change, moved, count] = [this.#change, this.#moved, before.length / columns];
    for (let i = 0; i < before.length; i++) change[i] = after[i]! - before[i]!;
    moved.fill(0);
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
