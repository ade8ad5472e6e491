/** Calls about training runs. */
import { setTimeout } from 'node:timers/promises';
import { AppError } from '../contract/errors.ts';
import { drawnIndices } from '../contract/decimate.ts';
import type { RunCurve } from '../contract/runs.ts';
import { runKinds } from '../contract/runs.ts';
import type { Job } from '../contract/api.ts';
import { movingAverage } from '../jobs/movingAverage.ts';
import { storeSeries } from '../jobs/runSeries.ts';
import type { Series } from '../store/runStore.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';
import { runSettings } from './runSettings.ts';

const isRun = (job: Job | undefined): job is Job => job !== undefined && runKinds.some((kind) => kind === job.kind);
const listWaitMs = 300;
/** Lets other calls in between two runs. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** First index whose step is at least `step`. */
function indexOfStep(steps: Int32Array, step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle]! < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface CurveRequest {
  smoothing: number;
  buckets: number;
  fromStep?: number | undefined;
  toStep?: number | undefined;
}

/** Averaged over the whole run first, so that what is seen does not depend on where it is looked at. */
export function drawnCurve(id: string, { steps, values }: Series, request: CurveRequest): RunCurve {
  const { smoothing, buckets, fromStep = -Infinity, toStep = Infinity } = request;
  const from = indexOfStep(steps, fromStep);
  const to = indexOfStep(steps, toStep + 1);
  const smooth = smoothing > 0 ? movingAverage(values, smoothing) : null;
  const kept = drawnIndices(smooth === null ? [values] : [values, smooth], from, to, buckets);
  return {
    id,
    points: Math.max(0, to - from),
    steps: kept.map((index) => steps[index]!),
    values: kept.map((index) => values[index]!),
    smoothed: smooth && kept.map((index) => smooth[index]!),
  };
}

export function runHandlers({ store, events, log }: EngineContext): HandlerGroup {
  const get = (id: string): Job => {
    const job = store.jobs.get(id);
    if (!isRun(job))
      throw new AppError('NOT_FOUND', 'This run is not in the list any more.', { hint: 'Reload the page.' });
    return job;
  };
  /** Of runs under way, of runs that have ended since, of imported ones. */
  async function refresh(wanted?: ReadonlySet<string>): Promise<void> {
    for (const id of store.runs.stale()) {
      if (wanted && !wanted.has(id)) continue;
      const job = store.jobs.get(id);
      if (job) storeSeries(store, job);
      await breath();
    }
  }
  let refreshing: Promise<void> | null = null;
  /** Waits for `listWaitMs` at most; what takes longer (a folder of many runs from before) is announced when it is there. */
  async function refreshAll(): Promise<void> {
    refreshing ??= refresh().finally(() => (refreshing = null));
    const done = await Promise.race([refreshing.then(() => true), setTimeout(listWaitMs, false)]);
    if (done) return;
    refreshing
      .then(() => events.publish({ type: 'runs' }))
      .catch((error: unknown) => log.error({ err: error }, 'Runs'));
  }
  const change = (ids: readonly string[], one: (id: string) => void): { ok: true } => {
    store.transaction(() => ids.forEach((id) => one(get(id).id)));
    events.publish({ type: 'runs' });
    return { ok: true };
  };
  return {
    'runs.list': async ({ trash }) => {
      await refreshAll();
      return store.runs.list(trash);
    },
    'runs.metrics': async ({ ids }) => {
      await refresh(new Set(ids));
      return store.runs.seriesNames(ids);
    },
    'runs.curves': async ({ ids, metric, ...request }) => {
      await refresh(new Set(ids));
      const curves: RunCurve[] = [];
      for (const id of ids) {
        const series = store.runs.series(get(id).id, metric);
        if (series) curves.push(drawnCurve(id, series, request));
        if (curves.length % 20 === 19) await breath();
      }
      return curves;
    },
    'runs.settings': ({ ids }) => ids.map((id) => ({ id, settings: runSettings(store, get(id)) })),
    'runs.update': ({ ids, note, addTags, removeTags }) =>
      change(ids, (id) => {
        if (note !== undefined) store.runs.setNote(id, note);
        if (addTags.length + removeTags.length > 0) store.runs.changeTags(id, addTags, removeTags);
      }),
    'runs.remove': ({ ids }) => change(ids, (id) => store.runs.setDeleted(id, Date.now())),
    'runs.restore': ({ ids }) => change(ids, (id) => store.runs.setDeleted(id, null)),
  };
}
