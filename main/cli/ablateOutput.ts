/** What `rotascope ablate` prints: the plan, a table with intervals, CSV. */
import type { CallAnswer } from '../contract/api.ts';
import type { SplitScore } from '../contract/evaluation.ts';
import type { SweepAxis, SweepPointResult, SweepResult } from '../contract/sweeps.ts';
import { wilsonInterval } from '../contract/wilson.ts';
import { csvLine } from '../ml/spectral/comparisonTables.ts';
import { formatDuration } from './studyOutput.ts';

/** @param axes what the sweep varies */
export function planText(plan: CallAnswer<'sweeps.plan'>, axes: readonly SweepAxis[]): string[] {
  const { points, known, durationMs, diskBytes, peakBytes, layerCounts, rankCounts, notEvaluated } = plan;
  const counts = [
    ...(axes.includes('layers') ? [`Layers: ${layerCounts.join(', ')}.`] : []),
    ...(axes.includes('ranks') || axes.includes('grid') ? [`Ranks: ${rankCounts.join(', ')}.`] : []),
  ];
  return [
    `${points} points, ${known} of them known; about ${formatDuration(durationMs)}, ${(diskBytes / 1e6).toFixed(0)} MB on disk, ${(peakBytes / 1e9).toFixed(1)} GB of memory.`,
    ...counts,
    ...(notEvaluated === null ? [] : [`Not evaluated: ${notEvaluated} Points can still be exported.`]),
  ];
}

function accuracy(score: SplitScore | undefined): string {
  if (!score) return '-';
  const [low, high] = wilsonInterval(score.correct, score.n);
  const percent = (share: number): string => (100 * share).toFixed(1);
  return `${percent(score.correct / score.n)} [${percent(low)}, ${percent(high)}]`;
}

function editWords({ edit, own, control, replicate, alpha }: SweepPointResult): string {
  if (edit === 'none') return own ?? '';
  if (edit === 'interpolation') return `mix ${alpha}`;
  const name = { singularValues: 'values', singularVectors: 'vectors', both: 'both' }[edit];
  return [name, control, replicate].filter((part) => part !== undefined).join(' ');
}

const columns: [head: string, cell: (point: SweepPointResult) => string][] = [
  ['point', ({ key }) => key.slice(0, 8)],
  ['axis', ({ axis }) => axis],
  ['edit', editWords],
  ['k', ({ k, ranks, axis }) => (axis === 'grid' ? `${k}:${ranks?.top ?? 'all'}` : k === undefined ? '' : String(k))],
  ['change', ({ record }) => (record.changeNorm === 0 ? '' : `${(100 * record.relativeChange).toPrecision(3)} %`)],
  ['ID % [95 %]', ({ evaluation }) => accuracy(evaluation?.inDist)],
  ['OOD % [95 %]', ({ evaluation }) => accuracy(evaluation?.ood)],
];

export function sweepText({ pairs, points }: SweepResult): string[] {
  return pairs.flatMap(({ label }, pair) => {
    const rows = points.filter((point) => point.pair === pair).map((point) => columns.map(([, cell]) => cell(point)));
    const cells = [columns.map(([head]) => head), ...rows];
    const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
    const lines = cells.map((row) =>
      row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))),
    );
    return [label, ...lines.map((line) => line.join('  ').trimEnd()), ''];
  });
}

const scoreColumns = ['n', 'correct', 'low', 'high', 'loss'] as const;

function scoreCells(score: SplitScore | undefined): (number | null)[] {
  if (!score) return scoreColumns.map(() => null);
  const [low, high] = wilsonInterval(score.correct, score.n);
  return [score.n, score.correct, low, high, score.loss];
}

/** One row a point. */
export function sweepCsv({ pairs, points }: SweepResult): string {
  const numbers = ['changeNorm', 'relativeChange', 'orthogonalityDefect', 'effectiveRank', 'negativeSingularValues', 'scale'] as const; // prettier-ignore
  const named = ['axis', 'edit', 'own', 'control', 'replicate', 'k', 'alpha'] as const;
  const scores = ['inDist', 'ood'].flatMap((split) => scoreColumns.map((name) => `${split}_${name}`));
  const head = csvLine(['pair', 'stage', ...named, 'layers', 'ranks', ...numbers, ...scores, 'reused', 'key']);
  const rows = points.map((point) => {
    const { record, evaluation, layers, ranks } = point;
    const { label, stage } = pairs[point.pair]!;
    return csvLine([
      label,
      stage,
      ...named.map((name) => point[name] ?? null),
      layers === null ? 'all' : layers.join(' '),
      ranks === null ? 'all' : JSON.stringify(ranks),
      ...numbers.map((name) => record[name]),
      ...scoreCells(evaluation?.inDist),
      ...scoreCells(evaluation?.ood),
      String(point.reused),
      point.key,
    ]);
  });
  return [head, ...rows].join('');
}
