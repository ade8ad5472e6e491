/**
 * The edited matrices of a point of a sweep, one after another. Decompositions come from the disk or are computed once;
 * what neighbouring points share (decompositions, and the reversion that controls and doses are made from) stays in
 * memory as far as its budget goes.
 */
import type { RealArray } from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import type { Precision } from '../../contract/spectral.ts';
import type { ModelEditRecord, ReversionSweep, RevertKind, SweepPoint, SweepSettings } from '../../contract/sweeps.ts';
import type { Decomposition } from '../spectral/decompose.ts';
import type { Decomposer } from '../spectral/decomposer.ts';
import { frobeniusNorm, toPrecision, type RealOf } from '../spectral/linearAlgebra.ts';
import type { TensorSource } from '../spectral/tensorSource.ts';
import { editMatrix, modelRecord, type EditedMatrix, type MatrixEdit, type SizedRecord } from './editMatrix.ts';
import { RecentlyUsed } from './recentlyUsed.ts';
import { revertMatrix, type RevertedMatrix } from './revertMatrix.ts';
import type { EditedWeight } from './sweepShape.ts';

export interface SourcePair {
  target: TensorSource;
  reference: TensorSource;
}

/** What is done to every matrix of a point. */
export function matrixEditOf(point: SweepPoint, { sweep, seed }: SweepSettings): MatrixEdit {
  if (point.edit === 'none' || point.edit === 'interpolation' || sweep.kind === 'interpolation')
    throw new AppError('INVALID_REQUEST', 'This point edits no single matrix.');
  const { paperCompatible, pairing }: ReversionSweep = sweep;
  const control = controlOf(point, seed);
  return { revert: point.edit, ranks: point.ranks, paperCompatible, pairing, control };
}

function controlOf({ control, replicate }: SweepPoint, seed: number): MatrixEdit['control'] {
  if (control === undefined) return null;
  if (control === 'dose') return { control };
  // named by the seed and not by the point: the points of a sweep, and of sweeps with one seed, share their draws
  return { control, study: `sweep ${seed}`, replicate: replicate ?? 0 };
}

/** The weights that a point edits. */
export function weightsOf(point: SweepPoint, weights: readonly EditedWeight[]): EditedWeight[] {
  if (point.edit === 'none' || point.edit === 'interpolation') return [];
  return weights.filter(({ layer }) => point.layers?.includes(layer) ?? true);
}

export class PointEditor<P extends Precision> {
  readonly #decomposer: Decomposer<P>;
  readonly #settings: SweepSettings;
  readonly #decompositions: RecentlyUsed<Decomposition<RealOf<P>>>;
  readonly #reversions: RecentlyUsed<RevertedMatrix<RealOf<P>>>;

  constructor(decomposer: Decomposer<P>, settings: SweepSettings, memoryBytes: number) {
    this.#decomposer = decomposer;
    this.#settings = settings;
    this.#decompositions = new RecentlyUsed(memoryBytes / 2);
    this.#reversions = new RecentlyUsed(memoryBytes / 2);
  }

  /**
   * @param visit gets every edited matrix, which is not kept
   * @throws NOT_FOUND | SHAPE_MISMATCH | NOT_FINITE naming the weight; COMPUTE_FAILED no such control; CANCELLED
   */
  async edit(
    point: SweepPoint,
    pair: SourcePair,
    weights: readonly EditedWeight[],
    visit: (
      weight: EditedWeight,
      edited: EditedMatrix<RealOf<P>>,
      target: Decomposition<RealOf<P>>,
    ) => void | Promise<void>,
  ): Promise<ModelEditRecord> {
    const edit = point.edit === 'none' ? null : matrixEditOf(point, this.#settings);
    const records: SizedRecord[] = [];
    for (const weight of edit ? weightsOf(point, weights) : []) {
      const target = await this.decomposition(pair.target, weight.name);
      const reference = await this.decomposition(pair.reference, weight.name);
      const edited = editMatrix(
        weight.name,
        target,
        reference,
        edit!,
        await this.#remembered(pair, weight.name, edit!),
      );
      await visit(weight, edited, target);
      records.push({ record: edited.record, size: frobeniusNorm(target.weight.data) });
    }
    return modelRecord(records);
  }

  async decomposition(source: TensorSource, name: string): Promise<Decomposition<RealOf<P>>> {
    const hash = await source.hash(name);
    const known = this.#decompositions.get(hash);
    if (known) return known;
    const factorisation = await this.#decomposer.factorisation(source, name);
    const weight = toPrecision(await source.read(name), this.#decomposer.precision);
    const found = { ...factorisation, weight };
    this.#decompositions.put(hash, found, bytesOf(found.u, found.vt, weight.data));
    return found;
  }

  async #remembered(pair: SourcePair, name: string, edit: MatrixEdit) {
    const content = `${await pair.target.hash(name)} ${await pair.reference.hash(name)} ${JSON.stringify(edit.ranks)}`;
    const target = await this.decomposition(pair.target, name);
    const reference = await this.decomposition(pair.reference, name);
    return (revert: RevertKind): RevertedMatrix<RealOf<P>> => {
      const key = `${content} ${revert}`;
      const known = this.#reversions.get(key);
      if (known) return known;
      const made = revertMatrix(target, reference, { ...edit, revert });
      this.#reversions.put(key, made, bytesOf(made.weight.data, made.change.data));
      return made;
    };
  }
}

const bytesOf = (...arrays: RealArray[]): number => arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
