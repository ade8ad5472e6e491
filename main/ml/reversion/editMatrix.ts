/** One matrix of an edited model, whatever the edit: a reversion, one of its controls, or its dose; with what it did. */
import type { RealArray } from '../../compute/lapack.ts';
import { AppError } from '../../contract/errors.ts';
import type { MatrixEditRecord, ModelEditRecord, RandomControl, RevertKind } from '../../contract/sweeps.ts';
import type { Decomposition } from '../spectral/decompose.ts';
import { frobeniusNorm, type Matrix } from '../spectral/linearAlgebra.ts';
import { controlMatrix, doseMatrix } from './controls.ts';
import { revertMatrix, type MatrixReversion, type RevertedMatrix } from './revertMatrix.ts';

export type ControlChoice =
  | { control: RandomControl; study: string; replicate: number }
  /** The edit itself, scaled per matrix to the norm that the other kind of edit has. */
  | { control: 'dose' };

export interface MatrixEdit extends MatrixReversion {
  /** Null: the reversion itself. */
  control: ControlChoice | null;
}

export interface EditedMatrix<T extends RealArray> {
  /** W' [rows, columns], in the precision of the decompositions. */
  weight: Matrix<T>;
  record: MatrixEditRecord;
}

/** A record and ||W_t||_F, which the model's relative change needs. */
export interface SizedRecord {
  record: MatrixEditRecord;
  size: number;
}

type Made<T extends RealArray> = Pick<RevertedMatrix<T>, 'weight' | 'change' | 'orthogonalityDefect'> &
  Partial<Pick<MatrixEditRecord, 'negativeSingularValues' | 'scale'>>;

/**
 * @param reverted where the reversions of this pair come from; a sweep remembers them
 * @throws SHAPE_MISMATCH; COMPUTE_FAILED a rotation or a dose cannot reach the norm; INVALID_REQUEST a dose of `both`
 */
export function editMatrix<T extends RealArray>(
  weight: string,
  target: Decomposition<T>,
  reference: Decomposition<T>,
  edit: MatrixEdit,
  reverted = (revert: RevertKind): RevertedMatrix<T> => revertMatrix(target, reference, { ...edit, revert }),
): EditedMatrix<T> {
  const base = reverted(edit.revert);
  const made = controlled(weight, target, reference, edit, base, reverted);
  const changeNorm = frobeniusNorm(made.change.data);
  const size = frobeniusNorm(target.weight.data);
  const record = {
    weight,
    changeNorm,
    relativeChange: size === 0 ? 0 : changeNorm / size,
    orthogonalityDefect: made.orthogonalityDefect,
    effectiveRank: base.selected.length,
    negativeSingularValues: made.negativeSingularValues ?? 0,
    scale: made.scale ?? null,
  };
  return { weight: made.weight, record };
}

function controlled<T extends RealArray>(
  weight: string,
  target: Decomposition<T>,
  reference: Decomposition<T>,
  { revert, control }: MatrixEdit,
  base: RevertedMatrix<T>,
  reverted: (revert: RevertKind) => RevertedMatrix<T>,
): Made<T> {
  if (control === null) return base;
  if (control.control !== 'dose') return controlMatrix(control.control, target, base, { ...control, weight });
  if (revert === 'both')
    throw new AppError(
      'INVALID_REQUEST',
      'A dose compares values with vectors; `both` has no other edit to be scaled to.',
    );
  const other = reverted(revert === 'singularValues' ? 'singularVectors' : 'singularValues');
  const scaled = doseMatrix(target, base, frobeniusNorm(other.change.data), weight);
  const scaledValue = (i: number): number => target.s[i]! + scaled.scale * (reference.s[i]! - target.s[i]!);
  const values = revert === 'singularValues' ? base.selected.map(scaledValue) : [];
  return {
    ...scaled,
    orthogonalityDefect: target.orthogonality,
    negativeSingularValues: values.filter((s) => s < 0).length,
  };
}

/** What the edits of all matrices amount to. */
export function modelRecord(edited: readonly SizedRecord[]): ModelEditRecord {
  const matrices = edited.map(({ record }) => record);
  const size = frobeniusNorm(edited.map((one) => one.size));
  const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
  const changeNorm = frobeniusNorm(matrices.map((record) => record.changeNorm));
  const scales = matrices.flatMap(({ scale }) => (scale === null ? [] : [scale]));
  return {
    changeNorm,
    relativeChange: size === 0 ? 0 : changeNorm / size,
    orthogonalityDefect: Math.max(0, ...matrices.map((record) => record.orthogonalityDefect)),
    effectiveRank: mean(matrices.map((record) => record.effectiveRank)),
    negativeSingularValues: matrices.reduce((sum, record) => sum + record.negativeSingularValues, 0),
    scale: scales.length === 0 ? null : mean(scales),
    matrices,
  };
}
