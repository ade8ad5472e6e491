/** Calls about studies. */
import type { EngineContext } from './context.ts';
import { estimateStudy, requireDisk } from './estimate.ts';
import type { HandlerGroup } from './handlers.ts';
import type { CallAnswer, Study } from '../contract/api.ts';
import { importStudy } from './studyExchange/importStudy.ts';
import { withBase } from './studyBase.ts';
import { drawnMetrics } from '../jobs/runSeries.ts';
import { readSettings, writeSettings } from '../studies/settingsFile.ts';
import { studyResult } from '../jobs/studyResult.ts';

/** The sample as a study of its own; the one that is open already is answered again. */
async function openSample(context: EngineContext): Promise<Study> {
  const open = context.studies.list().find((study) => study.sample);
  return open ?? openCopy(context, context.sampleFolder, { sample: true });
}

async function openCopy(context: EngineContext, folder: string, options: { sample: boolean }): Promise<Study> {
  const { store, studies, catalogue, events } = context;
  const id = await importStudy(store, folder, studies.studiesFolder, options);
  events.publish({ type: 'study', id, revision: 1 });
  events.publish({ type: 'checkpoints' });
  catalogue.hash(store.checkpoints.list().filter(({ studyId }) => studyId === id));
  return studies.view(id);
}

/** @param stageOf stage by the job that carries it out now */
function newMetrics(
  { store }: EngineContext,
  studyId: string,
  afterRevision: number,
  stageOf: ReadonlyMap<string, string>,
): CallAnswer<'studies.metrics'>['rows'] {
  return store.results.metricsOfStudy(studyId, afterRevision).flatMap(({ jobId, step, values }) => {
    const stageId = stageOf.get(jobId);
    return stageId === undefined ? [] : [{ stageId, step, values }];
  });
}

export function studyHandlers(context: EngineContext): HandlerGroup {
  const { store, studies } = context;
  return {
    'studies.list': () => studies.list(),
    'studies.get': ({ id }) => studies.view(id),
    'studies.estimate': (settings) => estimateStudy(context, settings),
    'studies.create': async ({ settings, new: forceNew }) =>
      studies.create(await withBase(context, settings), forceNew),
    'studies.start': async ({ id }) => {
      const { state, settings } = studies.record(id);
      if (state === 'draft') requireDisk(context, await withBase(context, settings));
      return studies.start(id);
    },
    'studies.cancel': ({ id }) => studies.cancel(id),
    'studies.resume': ({ id }) => studies.start(id),
    'studies.rerun': ({ id, stageId }) => studies.rerun(id, stageId),
    'studies.writeSettings': ({ settings }) => ({ text: writeSettings(settings) }),
    'studies.readSettings': ({ text }) => readSettings(text),
    'studies.rename': ({ id, name }) => studies.rename(id, name),
    'studies.remove': ({ id }) => {
      studies.remove(id);
      return { ok: true };
    },
    'studies.restore': ({ id }) => studies.restore(id),
    'studies.openSample': () => openSample(context),
    'studies.import': ({ path }) => openCopy(context, path, { sample: false }),
    'studies.result': ({ id }) => studyResult(store, studies.record(id)),
    'studies.comparisons': ({ id, seed }) => {
      studies.record(id);
      const stages = store.studies.stages(id).filter((stage) => stage.seed === seed && stage.kind === 'decompose');
      return stages.flatMap(({ jobId }) => (jobId ? store.results.comparisons(jobId) : []));
    },
    'studies.metrics': ({ id, afterRevision }) => {
      const { revision } = studies.record(id);
      const stages = store.studies.stages(id).filter(({ jobId }) => jobId !== null);
      const rows =
        afterRevision === 0
          ? stages.flatMap(({ id: stageId, jobId }) =>
              drawnMetrics(store, store.jobs.get(jobId!)!).map(({ step, values }) => ({ stageId, step, values })),
            )
          : newMetrics(context, id, afterRevision, new Map(stages.map((stage) => [stage.jobId!, stage.id])));
      return { revision, rows };
    },
  };
}
