/** Checkpoints that studies write appear in the catalogue as soon as their evaluation is in the database. */
import type { Job } from '../contract/api.ts';
import { stageOutputSchemas } from '../contract/requests.ts';
import type { JobListener } from '../jobs/supervisor.ts';
import type { Logger } from '../logging/log.ts';
import type { Store } from '../store/store.ts';
import { readCatalogueRow } from './catalogue.ts';
import type { EventBus } from './eventBus.ts';

interface WrittenCheckpoint {
  folder: string;
  step: number | null;
  name: string;
}

/** "SFT on ID data · seed 0 · step 200" */
const nameAt = (job: Job, step: number): string => `${job.title} · ${job.kind === 'rl' ? 'iteration' : 'step'} ${step}`;

function writtenBy(store: Store, job: Job): WrittenCheckpoint[] {
  const evaluated = store.results.evaluations(job.id).flatMap(({ folder, step }) => {
    return folder === null ? [] : [{ folder, step, name: nameAt(job, step) }];
  });
  const base = job.kind === 'pretrain' ? stageOutputSchemas.pretrain.safeParse(store.jobs.output(job.id)) : null;
  return base?.success
    ? [...evaluated, { folder: base.data.base, step: null, name: `Base · seed ${job.seed}` }]
    : evaluated;
}

/** Keeps the catalogue up to date with what the jobs of studies write. */
export function catalogueStudyCheckpoints(store: Store, events: EventBus, log: Logger): JobListener {
  const underWay = new Set<string>();
  const add = async (job: Job, written: WrittenCheckpoint): Promise<void> => {
    const { folder, step, name } = written;
    if (!job.studyId || underWay.has(folder) || store.checkpoints.byFolder(folder)) return;
    underWay.add(folder);
    try {
      const row = await readCatalogueRow(folder, { name, studyId: job.studyId, seed: job.seed, step });
      store.checkpoints.put(row);
      events.publish({ type: 'checkpoints' });
    } catch (error) {
      log.warn({ err: error, folder }, 'A checkpoint of a study cannot be listed');
    } finally {
      underWay.delete(folder);
    }
  };
  const addAll = (job: Job): void => {
    if (job.studyId) for (const written of writtenBy(store, job)) void add(job, written);
  };
  return {
    onJob: () => undefined,
    onEvents: (job, arrived) => {
      if (arrived.some((event) => event.type === 'evaluation' || event.type === 'succeeded')) addAll(job);
    },
    // What a crash of the engine has cut off is made up for here.
    onSettled: addAll,
  };
}
