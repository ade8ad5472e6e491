/** Relative changes of tensors as rows, the largest first. Pure. */
import type { CheckpointDiff, TensorChange } from '../../../main/contract/catalogue.ts';
import type { FigureTable } from '../../figures/figure.ts';

export interface ChangeRow extends TensorChange {
  /** Length of its bar, 0..1 of the largest relative change. */
  share: number;
}

const sizeOf = ({ relativeChange, changedShare }: TensorChange): number =>
  relativeChange ?? (changedShare === 0 ? 0 : Infinity);

/** Largest first; what has no relative change but has changed stands on top, so that it is not missed. */
export function changeRows(changes: readonly TensorChange[]): ChangeRow[] {
  const largest = Math.max(0, ...changes.map(({ relativeChange }) => relativeChange ?? 0));
  const share = (change: number | null): number => (largest === 0 || change === null ? 0 : change / largest);
  return [...changes]
    .sort((a, b) => sizeOf(b) - sizeOf(a) || a.name.localeCompare(b.name, 'en', { numeric: true }))
    .map((change) => ({ ...change, share: share(change.relativeChange) }));
}

/** "model.norm.weight: F32 [64] and BF16 [64]" */
export const typeWords = ({ dtype, shape }: { dtype: string; shape: number[] }): string =>
  `${dtype} [${shape.join(', ')}]`;

export const valueWords = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));

/** Everything that differs in one table, for a spreadsheet. */
export function diffTable({ config, onlyInA, onlyInB, differing, changes }: CheckpointDiff): FigureTable {
  return {
    columns: ['what', 'name', 'a', 'b', 'relative change', 'norm of the change', 'share of changed entries'],
    rows: [
      ...config.map(({ field, a, b }) => ['config', field, valueWords(a), valueWords(b), null, null, null]),
      ...onlyInA.map((name) => ['only in A', name, null, null, null, null, null]),
      ...onlyInB.map((name) => ['only in B', name, null, null, null, null, null]),
      ...differing.map(({ name, a, b }) => ['type or shape', name, typeWords(a), typeWords(b), null, null, null]),
      ...changeRows(changes ?? []).map(({ name, relativeChange, changeNorm, changedShare }) => {
        return ['values', name, null, null, relativeChange, changeNorm, changedShare];
      }),
    ],
  };
}
