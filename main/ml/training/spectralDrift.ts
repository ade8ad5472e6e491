/**
 * What training has done to the spectra by layer, at a checkpoint: stable rank, and rotation away from where it began.
 *
 * Every matrix is decomposed whole. The cut after the leading half stands where singular values lie close together, so
 * subspace iteration would need about as many rounds as there are values; and a result that does not hang on the last
 * checkpoint is the same after a kill. The start is decomposed once and kept on the disk: each thread holds one matrix.
 */
import type { Precision } from '../../contract/spectral.ts';
import type { LanguageModel } from '../model/languageModel.ts';
import type { ModelConfig } from '../model/modelConfig.ts';
import { reversibleMatrices, type ReversibleMatrix } from '../model/weights.ts';
import { Decomposer, type MatrixSource } from '../spectral/decomposer.ts';
import type { DecompositionCache } from '../spectral/decompositionCache.ts';
import type { SubspaceAngles } from '../spectral/principalAngles.ts';
import { sideBySide } from '../spectral/sideBySide.ts';
import { stableRank } from '../spectral/spectrum.ts';
import { leftAngles, rightAngles } from '../spectral/subspaceAngles.ts';

/** Share of the ranks whose span is followed: half, as in the study's comparisons. */
const rankShare = 0.5;

/** Measured with two threads on half a billion parameters: the last matrices' arrays are freed while the next are read. */
const lateRelease = 2;

export interface DriftOptions<P extends Precision> {
  /** The checkpoint that the run starts from; the caller's. */
  start: MatrixSource;
  /** Where its decompositions are kept. */
  cache: DecompositionCache;
  precision: P;
  /** Matrices at a time. */
  threads: number;
  signal?: AbortSignal | undefined;
}

/**
 * Follows the matrices of a run against its first weights.
 * @returns `drift(model)`: `stableRankLayer<i>` and `rotationRadLayer<i>` (mean principal angle of the leading half of the
 *   singular vectors, over the matrices and their informative sides), the latter in radians
 * @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE naming the weight; CANCELLED
 */
export function spectralDrift<P extends Precision>({ start, cache, precision, threads, signal }: DriftOptions<P>) {
  const ofStart = new Decomposer({ precision, cache, signal });
  return async (model: LanguageModel): Promise<Record<string, number>> => {
    const ofModel = new Decomposer({ precision, cache: null, signal });
    const matrices = reversibleMatrices(model.config);
    const present = presentWeights(model, matrices);
    const results = new Array<{ rank: number; angles: number[] }>(matrices.length);
    await sideBySide(
      matrices,
      threads,
      async ({ name }, index) => {
        const now = await ofModel.factorisation(present, name);
        const first = await ofStart.factorisation(start, name);
        const k = Math.max(1, Math.round(rankShare * now.rank));
        const sides = [await leftAngles(first, now, k), await rightAngles(first, now, k)];
        results[index] = {
          rank: stableRank(now.s),
          angles: sides.filter(({ trivial }) => !trivial).map(meanFreeAngle),
        };
      },
      signal,
    );
    await ofStart.settle();
    const byLayer = Map.groupBy(matrices.keys(), (i) => matrices[i]!.layer);
    return Object.fromEntries(
      [...byLayer].flatMap(([layer, members]) => [
        [`stableRankLayer${layer}`, mean(members.map((i) => results[i]!.rank))],
        [`rotationRadLayer${layer}`, mean(members.flatMap((i) => results[i]!.angles))],
      ]),
    );
  };
}

/** Of float32 matrices, at their widest: what `spectralDrift` holds beside the model. Bytes. */
export function driftBytes(config: ModelConfig, threads: number): number {
  const bytesPerValue = 4;
  const each = reversibleMatrices(config).map(({ rows, columns }) => {
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
    // Both decompositions and the leading half of one; the factor of the short side, and what LAPACK works in.
    return bytesPerValue * (2.5 * long * short + 6 * short * short);
  });
  return lateRelease * threads * Math.max(...each);
}

/** A model's weights as they are now. */
function presentWeights({ session }: LanguageModel, matrices: readonly ReversibleMatrix[]): MatrixSource {
  const shapes = new Map(matrices.map(({ name, rows, columns }) => [name, [rows, columns] as [number, number]]));
  return {
    shape: (name) => shapes.get(name)!,
    // Nothing of them is kept: it only has to tell them apart.
    hash: (name) => Promise.resolve(name),
    read: async (name) => {
      const [rows, columns] = shapes.get(name)!;
      return { rows, columns, data: await session.read(name) };
    },
    readInto: async (name, _, into) => into.set(await session.read(name)),
  };
}

/** Without the angles that are 0 for any two subspaces of this rank. */
const meanFreeAngle = ({ anglesRad, forcedZeros }: SubspaceAngles): number =>
  mean([...anglesRad.subarray(forcedZeros)]);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
