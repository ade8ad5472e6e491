/** Comparisons as CSV (RFC 4180, decimal points, empty where there is no number) and as means by matrix type. */
import { projections, type CheckpointRef, type MatrixCurves, type MatrixSummary } from '../../contract/spectral.ts';

type Cell = string | number | boolean | null;

/** One line; text that would break it is quoted. */
export function csvLine(cells: readonly Cell[]): string {
  const line = cells.map((cell) => {
    const text = cell === null ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${line.join(',')}\r\n`;
}

const summaryColumns = [
  'weight', 'layer', 'matrix', 'changeNorm', 'relativeChange', 'maxAbsDeltaSigma', 'meanAbsDeltaSigma',
  'meanAbsDeltaSigmaRatio', 'meanAbsDeltaSigmaNull', 'angleRank', 'meanLeftAngleRad', 'meanRightAngleRad',
  'meanLeftNullRad', 'meanRightNullRad', 'leftForcedZeros', 'rightForcedZeros', 'valueEnergyShare', 'valueEnergyNull',
  'restorationCosine', 'restorationNullBand', 'stableRankReference', 'stableRankTarget', 'entropyRankReference',
  'entropyRankTarget', 'changedShare', 'changedAboveBf16Share', 'bf16Floor', 'smallestRelativeGap', 'smallestGapIndex',
  'pairingUnstable', 'residual', 'orthogonality', 'precision', 'durationMs',
] as const satisfies (keyof MatrixSummary)[]; // prettier-ignore

/** One row a matrix and target, with the units in the names of the columns. */
export function summariesCsv(
  reference: CheckpointRef,
  targets: readonly CheckpointRef[],
  rows: readonly (readonly MatrixSummary[])[],
): string {
  const head = csvLine(['reference', 'target', 'step', 'rows', 'columns', ...summaryColumns]);
  const lines = targets.flatMap((target, t) =>
    (rows[t] ?? []).map((row) =>
      csvLine([reference.name, target.name, target.step, ...row.shape, ...summaryColumns.map((column) => row[column])]),
    ),
  );
  return head + lines.join('');
}

/** One row a rank, from 1; the angles end at the rank that was compared. */
export function curvesCsv(curves: MatrixCurves): string {
  const { sReference, sTarget, deltaSigmaNull, leftRad, rightRad, leftNullRad, rightNullRad } = curves;
  const head = csvLine([
    'rank', 'sReference', 'sTarget', 'deltaSigma', 'deltaSigmaNull', 'leftRad', 'rightRad', 'leftNullRad', 'rightNullRad',
  ]); // prettier-ignore
  const lines = sReference.map((s, i) => {
    // without the digits that the subtraction invents
    const deltaSigma = Number((sTarget[i]! - s).toPrecision(12));
    const angles = [leftRad, rightRad, leftNullRad, rightNullRad].map((angle) => angle[i] ?? null);
    return csvLine([i + 1, s, sTarget[i]!, deltaSigma, deltaSigmaNull[i] ?? null, ...angles]);
  });
  return head + lines.join('');
}

export interface MatrixMeans {
  matrix: MatrixSummary['matrix'] | 'all';
  matrices: number;
  relativeChange: number;
  /** Mean |delta sigma| over that of a random change of the same size; null where nothing changed. */
  deltaSigmaOverNull: number | null;
  leftAngleRad: number | null;
  leftNullRad: number | null;
  rightAngleRad: number | null;
  rightNullRad: number | null;
  valueEnergyOverNull: number;
  restorationCosine: number | null;
  changedShare: number;
  unstable: number;
}

function mean(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === 0 ? null : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

function meansOf(matrix: MatrixMeans['matrix'], rows: readonly MatrixSummary[]): MatrixMeans {
  const of = (value: (row: MatrixSummary) => number | null): number | null => mean(rows.map(value));
  return {
    matrix,
    matrices: rows.length,
    relativeChange: of((row) => row.relativeChange)!,
    deltaSigmaOverNull: of((row) => row.meanAbsDeltaSigmaNull && row.meanAbsDeltaSigma / row.meanAbsDeltaSigmaNull),
    leftAngleRad: of((row) => row.meanLeftAngleRad),
    leftNullRad: of((row) => row.meanLeftNullRad),
    rightAngleRad: of((row) => row.meanRightAngleRad),
    rightNullRad: of((row) => row.meanRightNullRad),
    valueEnergyOverNull: of((row) => row.valueEnergyShare / row.valueEnergyNull)!,
    restorationCosine: of((row) => row.restorationCosine),
    changedShare: of((row) => row.changedShare)!,
    unstable: rows.filter((row) => row.pairingUnstable).length,
  };
}

/** Over the layers, one row a matrix type, and a last one over all. */
export function meansByMatrix(rows: readonly MatrixSummary[]): MatrixMeans[] {
  const types = projections.filter((matrix) => rows.some((row) => row.matrix === matrix));
  const each = types.map((matrix) => meansOf(matrix, rows.filter((row) => row.matrix === matrix))); // prettier-ignore
  return rows.length === 0 ? [] : [...each, meansOf('all', rows)];
}
