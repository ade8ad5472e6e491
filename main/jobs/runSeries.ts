/**
 * The curves of a training run, quantity by quantity, from the rows that it has left step by step: what a table of runs
 * sorts by and what curves are drawn from. Reading one quantity of a thousand runs is then a thousand short reads.
 */
import { drawnIndices } from '../contract/decimate.ts';
import type { Evaluation } from '../contract/evaluation.ts';
import type { Job } from '../contract/api.ts';
import type { Run } from '../contract/runs.ts';
import type { StoredEvaluation, StoredMetrics } from '../store/resultStore.ts';
import type { Series } from '../store/runStore.ts';
import type { Store } from '../store/store.ts';

/** Scalars of an evaluation, under the names that they have beside the metrics of training. */
const ofEvaluation: Record<string, (evaluation: Evaluation) => number | undefined> = {
  inDistAccuracy: ({ inDist }) => inDist.correct / inDist.n,
  oodAccuracy: ({ ood }) => ood.correct / ood.n,
  inDistLoss: ({ inDist }) => inDist.loss,
  oodLoss: ({ ood }) => ood.loss,
  inDistFormatAccuracy: ({ inDist }) => inDist.formatOk / inDist.n,
  oodFormatAccuracy: ({ ood }) => ood.formatOk / ood.n,
  oodRuleSlips: ({ ood }) => ood.ruleSlips / ood.n,
  trainLoss: ({ trainLoss }) => trainLoss,
};
const evaluationValues = (evaluation: Evaluation): Record<string, number | undefined> =>
  Object.fromEntries(Object.entries(ofEvaluation).map(([name, value]) => [name, value(evaluation)]));

/** Values that are no finite number are left out. @param metrics and evaluations by ascending step */
export function runSeries(
  metrics: readonly Pick<StoredMetrics, 'step' | 'values'>[],
  evaluations: readonly Pick<StoredEvaluation, 'step' | 'evaluation'>[],
): Map<string, Series> {
  const lists = new Map<string, { steps: number[]; values: number[] }>();
  const add = (step: number, values: Record<string, number | null | undefined>): void => {
    for (const name in values) {
      const value = values[name];
      if (typeof value !== 'number' || !Number.isFinite(value)) continue;
      let list = lists.get(name);
      if (list === undefined) lists.set(name, (list = { steps: [], values: [] }));
      list.steps.push(step);
      list.values.push(value);
    }
  };
  for (const { step, values } of metrics) add(step, values);
  for (const { step, evaluation } of evaluations) add(step, evaluationValues(evaluation));
  return new Map(
    [...lists].map(([name, { steps, values }]) => [
      name,
      { steps: Int32Array.from(steps), values: Float64Array.from(values) },
    ]),
  );
}

const isOfLayer = (name: string): boolean => /Layer\d+$/.test(name);

/** What the table of runs shows of the series. */
export function summarise(series: ReadonlyMap<string, Series>): Pick<Run, 'last' | 'peakOod'> {
  const last = [...series].filter(([name]) => !isOfLayer(name)).map(([name, { values }]) => [name, values.at(-1)!]);
  const ood = series.get('oodAccuracy');
  let peak = 0;
  ood?.values.forEach((value, index) => {
    if (value > ood.values[peak]!) peak = index;
  });
  const peakOod = ood === undefined ? null : { step: ood.steps[peak]!, value: ood.values[peak]! };
  return { last: Object.fromEntries(last) as Run['last'], peakOod };
}

type Row = Pick<StoredMetrics, 'step' | 'values'>;

/**
 * Rows by step again, of a long run: those where one of its quantities is least or largest among its neighbours, so that
 * curves drawn from them look like curves drawn from all.
 * @param buckets of neighbouring points, for each quantity
 */
export function thinnedRows(series: ReadonlyMap<string, Series>, buckets: number): Row[] {
  const rows = new Map<number, Row['values']>();
  const logged = [...series].filter(([name]) => !(name in ofEvaluation));
  for (const [name, { steps, values }] of logged)
    if (!isOfLayer(name))
      for (const index of drawnIndices([values], 0, steps.length, buckets)) rows.set(steps[index]!, {});
  for (const [name, { steps, values }] of logged)
    steps.forEach((step, index) => {
      const row = rows.get(step);
      if (row) row[name] = values[index]!;
    });
  return [...rows].sort(([a], [b]) => a - b).map(([step, values]) => ({ step, values }));
}

/** Steps of a run beyond which a page gets thinned rows. */
const longRun = 2000;
const thinnedBuckets = 100;

/** What the run said step by step, for drawing. */
export function drawnMetrics(store: Store, job: Job): Row[] {
  if (!store.results.hasMetrics(job.id, longRun)) return store.results.metrics(job.id);
  if (!store.runs.allSeries(job.id, job.lastSeq)) storeSeries(store, job);
  return thinnedRows(store.runs.allSeries(job.id, job.lastSeq)!, thinnedBuckets);
}

/** Makes the series of a run anew from its rows. */
export function storeSeries({ results, runs }: Store, job: Job): void {
  const metrics = results.metrics(job.id);
  const series = runSeries(metrics, results.evaluations(job.id));
  const lastStep = metrics.at(-1)?.step ?? null;
  runs.putSeries(job.id, series, { seriesSeq: job.lastSeq, points: metrics.length, lastStep, ...summarise(series) });
}
