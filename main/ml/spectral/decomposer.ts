/** Decompositions of the matrices of checkpoints on disk: from the cache, else computed, checked and kept there. */
import { AppError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/spectral.ts';
import { decomposeAsync, type Factorisation } from './decompose.ts';
import type { DecompositionCache } from './decompositionCache.ts';
import { newReal, type MatrixLike, type RealOf } from './linearAlgebra.ts';
import { probedChecks, probeImage } from './probedChecks.ts';
import { throwIfCancelled } from './sideBySide.ts';
import { svdKernels, type SvdKernel } from './svdKernels.ts';
import type { TensorSource } from './tensorSource.ts';

/** Up to here (256 x 256) an exact check costs a millisecond or two, above it is a good part of the decomposition. */
const defaultExactElements = 65_536;

/** What is read of a checkpoint, or of a model. */
export type MatrixSource = Pick<TensorSource, 'shape' | 'hash' | 'read' | 'readInto'>;

export interface DecomposerOptions<P extends Precision> {
  precision: P;
  /** Null: nothing is kept. */
  cache: DecompositionCache | null;
  signal?: AbortSignal | undefined;
  /** Matrices of up to so many elements are checked exactly, larger ones by probes. */
  exactElements?: number;
  /** What decomposes the larger ones, in this order; by default whatever is fastest here. */
  kernels?: readonly SvdKernel[];
}

export class Decomposer<P extends Precision> {
  readonly precision: P;
  readonly #cache: DecompositionCache | null;
  readonly #signal: AbortSignal | undefined;
  readonly #exactElements: number;
  #kernels: Promise<readonly SvdKernel[]> | null = null;
  /** Equal tensors that are asked for at the same time are computed once. */
  readonly #running = new Map<string, Promise<Factorisation<RealOf<P>>>>();
  /** The disk writes one decomposition while the next one is computed. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor({ precision, cache, signal, exactElements = defaultExactElements, kernels }: DecomposerOptions<P>) {
    this.precision = precision;
    this.#cache = cache;
    this.#signal = signal;
    this.#exactElements = exactElements;
    if (kernels) this.#kernels = Promise.resolve(kernels);
  }

  /**
   * Thin SVD of one weight with its checks; treat it as read-only, others may hold it too.
   * @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE naming the weight; CANCELLED
   */
  async factorisation(source: MatrixSource, name: string): Promise<Factorisation<RealOf<P>>> {
    throwIfCancelled(this.#signal);
    const hash = await source.hash(name);
    let running = this.#running.get(hash);
    if (!running) {
      running = this.#cachedOrComputed(source, name, hash);
      this.#running.set(hash, running);
      const forget = (): boolean => this.#running.delete(hash);
      running.then(() => this.#writing).then(forget, forget);
    }
    return running;
  }

  async #cachedOrComputed(source: MatrixSource, name: string, hash: string): Promise<Factorisation<RealOf<P>>> {
    const [rows, columns] = source.shape(name);
    const cached = await this.#cache?.get(hash, this.precision);
    if (cached?.rows === rows && cached.columns === columns) return cached;
    throwIfCancelled(this.#signal);
    const computed = await this.#compute(source, name);
    if (this.#cache) await this.#keep(this.#cache, hash, computed);
    return computed;
  }

  /** Waits for the file before this one, so that no more than one is held for the disk alone. */
  async #keep(cache: DecompositionCache, hash: string, computed: Factorisation<RealOf<P>>): Promise<void> {
    const before = this.#writing;
    this.#writing = before.then(() => cache.put(hash, this.precision, computed));
    await before;
  }

  /** Until everything that was computed is in the cache. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  async #compute(source: MatrixSource, name: string): Promise<Factorisation<RealOf<P>>> {
    try {
      const [rows, columns] = source.shape(name);
      return rows * columns <= this.#exactElements
        ? await exactly(await source.read(name), this.precision)
        : await this.#inPlace(source, name);
    } catch (error) {
      throw withWeightName(name, error);
    }
  }

  /** With one array for the matrix and then its larger factor; a kernel that fails has destroyed it, so it is read again. */
  async #inPlace(source: MatrixSource, name: string): Promise<Factorisation<RealOf<P>>> {
    const [rows, columns] = source.shape(name);
    const data = newReal(this.precision, rows * columns);
    const kernels = await (this.#kernels ??= svdKernels(this.precision));
    for (const [i, { svd }] of kernels.entries()) {
      await source.readInto(name, 0, data);
      const image = await probeImage({ rows, columns, data });
      try {
        const result = await svd({ rows, columns, data });
        return { ...result, ...(await probedChecks(result, image)) };
      } catch (error) {
        const isLast = i === kernels.length - 1;
        if (isLast || !(error instanceof AppError) || error.code !== 'COMPUTE_FAILED') throw error;
      }
    }
    throw new Error('there is always a kernel');
  }
}

/** Small matrices as everywhere else in memory, with exact checks. */
async function exactly<P extends Precision>(matrix: MatrixLike, precision: P): Promise<Factorisation<RealOf<P>>> {
  const { rows, columns, rank, u, s, vt, residual, orthogonality } = await decomposeAsync(matrix, precision);
  return { rows, columns, rank, u, s, vt, residual, orthogonality };
}

/** The same error, saying which weight it is about. */
export function withWeightName(name: string, error: unknown): unknown {
  if (!(error instanceof AppError) || error.message.includes(name)) return error;
  const { code, message, hint, details } = error;
  return new AppError(code, `${name}: ${message}`, {
    ...(hint ? { hint } : {}),
    details: { ...details, weight: name },
    cause: error,
  });
}
