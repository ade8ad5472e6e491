/**
 * The curves of a training run, quantity by quantity, from the rows that it has left step by step: what a table of runs
 * sorts by and what curves are drawn from. Reading one quantity of a thousand runs is then a thousand short reads.
 */
import type { Evaluation } from '../contract/evaluation.ts';
import type { Job } from '../contract/api.ts';
import type { Run } from '../contract/runs.ts';
import type { StoredEvaluation, StoredMetrics } from '../store/resultStore.ts';
import type { Series } from '../store/runStore.ts';
import type { Store } from '../store/store.ts';

/** Scalars of an evaluation, under the names that they have beside the metrics of training. */
function evaluationValues({ inDist, ood, trainLoss }: Evaluation): Record<string, number | undefined> {
  return {
    inDistAccuracy: inDist.correct / inDist.n,
    oodAccuracy: ood.correct / ood.n,
    inDistLoss: inDist.loss,
    oodLoss: ood.loss,
    inDistFormatAccuracy: inDist.formatOk / inDist.n,
    oodFormatAccuracy: ood.formatOk / ood.n,
    oodRuleSlips: ood.ruleSlips / ood.n,
    trainLoss,
  };
}

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

/** Makes the series of a run anew from its rows. */
export function storeSeries({ results, runs }: Store, job: Job): void {
  const metrics = results.metrics(job.id);
  const series = runSeries(metrics, results.evaluations(job.id));
  const lastStep = metrics.at(-1)?.step ?? null;
  runs.putSeries(job.id, series, { seriesSeq: job.lastSeq, points: metrics.length, lastStep, ...summarise(series) });
}
