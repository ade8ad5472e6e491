/** The decompositions of one checkpoint, each computed once, however many comparisons and edits use it. */
import { AppError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/spectral.ts';
import { withWeightName } from './decomposer.ts';
import { decompose, decomposeAsync, type Decomposition } from './decompose.ts';
import type { RealOf } from './linearAlgebra.ts';
import { weightMatrix, type Weights } from './targetWeights.ts';

export class CheckpointDecompositions<P extends Precision = 'float64'> {
  readonly weights: Weights;
  readonly precision: P;
  readonly #byName = new Map<string, Decomposition<RealOf<P>>>();

  constructor(weights: Weights, precision: P = 'float64' as P) {
    this.weights = weights;
    this.precision = precision;
  }

  /** Computes it when it is asked for the first time. @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE, naming the weight */
  of(name: string): Decomposition<RealOf<P>> {
    let found = this.#byName.get(name);
    if (!found) {
      found = namingWeight(name, () => decompose(weightMatrix(this.weights, name), this.precision));
      this.#byName.set(name, found);
    }
    return found;
  }

  /** Computes the missing ones, `concurrency` at a time on threads of their own. @throws as `of`; CANCELLED when aborted */
  async prepare(
    names: readonly string[],
    options: { concurrency?: number; signal?: AbortSignal; onDecomposed?: (done: number, total: number) => void } = {},
  ): Promise<void> {
    const missing = names.filter((name) => !this.#byName.has(name));
    let next = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      while (next < missing.length) {
        if (options.signal?.aborted) throw new AppError('CANCELLED', 'The decomposition was cancelled.');
        const name = missing[next++]!;
        try {
          this.#byName.set(name, await decomposeAsync(weightMatrix(this.weights, name), this.precision));
        } catch (error) {
          throw withWeightName(name, error);
        }
        options.onDecomposed?.(++done, missing.length);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, options.concurrency ?? 1) }, work));
  }
}

function namingWeight<T>(name: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw withWeightName(name, error);
  }
}
