/** Decompositions of the matrices of checkpoints on disk: from the cache, else computed, checked and kept there. */
import { AppError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/spectral.ts';
import { factorise, type Factorisation } from './decompose.ts';
import type { DecompositionCache } from './decompositionCache.ts';
import type { RealOf } from './linearAlgebra.ts';
import { throwIfCancelled } from './sideBySide.ts';
import type { TensorSource } from './tensorSource.ts';

export class Decomposer<P extends Precision> {
  readonly precision: P;
  readonly #cache: DecompositionCache | null;
  readonly #signal: AbortSignal | undefined;
  /** Equal tensors that are asked for at the same time are computed once. */
  readonly #running = new Map<string, Promise<Factorisation<RealOf<P>>>>();

  constructor({
    precision,
    cache,
    signal,
  }: {
    precision: P;
    cache: DecompositionCache | null;
    signal?: AbortSignal | undefined;
  }) {
    this.precision = precision;
    this.#cache = cache;
    this.#signal = signal;
  }

  /**
   * Thin SVD of one weight with its checks; treat it as read-only, others may hold it too.
   * @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE naming the weight; CANCELLED
   */
  async factorisation(source: TensorSource, name: string): Promise<Factorisation<RealOf<P>>> {
    throwIfCancelled(this.#signal);
    const hash = await source.hash(name);
    let running = this.#running.get(hash);
    if (!running) {
      running = this.#cachedOrComputed(source, name, hash).finally(() => this.#running.delete(hash));
      this.#running.set(hash, running);
    }
    return running;
  }

  async #cachedOrComputed(source: TensorSource, name: string, hash: string): Promise<Factorisation<RealOf<P>>> {
    const [rows, columns] = source.shape(name);
    const cached = await this.#cache?.get(hash, this.precision);
    if (cached?.rows === rows && cached.columns === columns) return cached;
    throwIfCancelled(this.#signal);
    const computed = await this.#compute(source, name);
    await this.#cache?.put(hash, this.precision, computed);
    return computed;
  }

  async #compute(source: TensorSource, name: string): Promise<Factorisation<RealOf<P>>> {
    try {
      return await factorise(await source.read(name), this.precision);
    } catch (error) {
      throw withWeightName(name, error);
    }
  }
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
