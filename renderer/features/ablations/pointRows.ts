/** Points of a sweep as rows of the page's table: filtered, sorted, each with its test against its own controls. */
import type { SweepPointResult, SweepResult } from '../../../main/contract/sweeps.ts';
import { accuracy } from '../study/charts/seedView.ts';
import { controlTest, type ControlTest } from './controlTest.ts';
import { pointWords } from './pointWords.ts';
import { endNames, isRandomControl, ownPoint, placeOf } from './sweepPoints.ts';

export interface PointRow {
  point: SweepPointResult;
  pair: string;
  words: string;
  inDist: number | null;
  ood: number | null;
  change: number;
  effectiveRank: number;
  /** Of the first kind of control that the edit has. */
  test: ControlTest | null;
}

export const pointFilters: Record<string, { label: string; keep(point: SweepPointResult): boolean }> = {
  edits: { label: 'Edits, without controls', keep: (point) => point.control === undefined },
  doses: { label: 'Edits and doses', keep: (point) => !isRandomControl(point) },
  all: { label: 'All models', keep: () => true },
};

export type SortColumn = 'words' | 'pair' | 'inDist' | 'ood' | 'change' | 'effectiveRank' | 'p';

const share = (point: SweepPointResult, split: 'inDist' | 'ood'): number | null =>
  point.evaluation === null ? null : accuracy(point.evaluation[split]);

/** Edits of all kinds with their scrambled controls, else those of the first kind that they have. */
function controlsByEdit(points: readonly SweepPointResult[]): Map<string, SweepPointResult[]> {
  const byEdit = new Map<string, SweepPointResult[]>();
  for (const point of points) {
    if (!isRandomControl(point)) continue;
    const key = editKey(point);
    const known = byEdit.get(key) ?? [];
    const best = known[0];
    if (best === undefined || rank(point) < rank(best)) byEdit.set(key, [point]);
    else if (best.control === point.control) byEdit.set(key, [...known, point]);
  }
  return byEdit;
}
const rank = ({ control }: SweepPointResult): number => ['scrambled', 'rotation', 'noise'].indexOf(control ?? '');
const editKey = (point: SweepPointResult): string => `${point.edit} ${placeOf(point)}`;

export function pointRows(sweep: SweepResult, filter: string, sort: string): PointRow[] {
  const keep = (pointFilters[filter] ?? pointFilters['edits']!).keep;
  const controls = controlsByEdit(sweep.points);
  const rows = sweep.points.filter(keep).map((point): PointRow => {
    const beside = point.control === undefined ? (controls.get(editKey(point)) ?? []) : [];
    return {
      point,
      pair: sweep.pairs[point.pair]?.label ?? '',
      words: pointWords(point, sweep.settings, endNames(sweep, point.pair)),
      inDist: share(point, 'inDist'),
      ood: share(point, 'ood'),
      change: point.record.relativeChange,
      effectiveRank: point.record.effectiveRank,
      test: controlTest(point, beside, ownPoint(sweep, point.pair, 'target'), 'ood'),
    };
  });
  return sorted(rows, sort);
}

/** @param sort a column, with a minus in front when descending; empty: in the order of the plan. Rows without a number last */
function sorted(rows: PointRow[], sort: string): PointRow[] {
  const isDescending = sort.startsWith('-');
  const column = sort.replace(/^-/, '') as SortColumn;
  if (!sortColumns.includes(column)) return rows;
  const valueOf = (row: PointRow): string | number | null => (column === 'p' ? (row.test?.p ?? null) : row[column]);
  return [...rows].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    const order = typeof x === 'string' ? x.localeCompare(String(y), undefined, { numeric: true }) : x - Number(y);
    return isDescending ? -order : order;
  });
}

const sortColumns: readonly SortColumn[] = ['words', 'pair', 'inDist', 'ood', 'change', 'effectiveRank', 'p'];

/** What a click on a column's heading makes of the sort: ascending, descending, the plan's order. */
export function nextSort(sort: string, column: SortColumn): string {
  if (sort === column) return `-${column}`;
  return sort === `-${column}` ? '' : column;
}
