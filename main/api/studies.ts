/** Calls about studies. */
import type { EngineContext } from './context.ts';
import { estimateStudy } from './estimate.ts';
import type { HandlerGroup } from './handlers.ts';
import { AppError } from '../contract/errors.ts';
import { studyResult } from '../jobs/studyResult.ts';

export function studyHandlers(context: EngineContext): HandlerGroup {
  const { store, studies } = context;
  return {
    'studies.list': () => studies.list(),
    'studies.get': ({ id }) => studies.view(id),
    'studies.estimate': (settings) =>
      estimateStudy(settings, store.jobs, context.slots, context.compute.status.backend),
    'studies.create': ({ settings, new: forceNew }) => studies.create(settings, forceNew),
    'studies.start': ({ id }) => studies.start(id),
    'studies.cancel': ({ id }) => studies.cancel(id),
    'studies.resume': ({ id }) => studies.start(id),
    'studies.rename': ({ id, name }) => studies.rename(id, name),
    'studies.remove': ({ id }) => {
      studies.remove(id);
      return { ok: true };
    },
    'studies.restore': ({ id }) => studies.restore(id),
    'studies.openSample': () => {
      throw new AppError('NOT_FOUND', 'No sample study is there yet.', { hint: 'Run a study instead.' });
    },
    'studies.result': ({ id }) => studyResult(store, studies.record(id)),
    'studies.comparisons': ({ id, seed }) => {
      studies.record(id);
      const stages = store.studies.stages(id).filter((stage) => stage.seed === seed && stage.kind === 'decompose');
      return stages.flatMap(({ jobId }) => (jobId ? store.results.comparisons(jobId) : []));
    },
    'studies.metrics': ({ id, afterRevision }) => {
      const { revision } = studies.record(id);
      const stageOf = new Map(store.jobs.ofStudy(id).map((job) => [job.id, job.stageId]));
      const rows = store.results.metricsOfStudy(id, afterRevision).flatMap(({ jobId, step, values }) => {
        const stageId = stageOf.get(jobId);
        return stageId ? [{ stageId, step, values }] : [];
      });
      return { revision, rows };
    },
  };
}
