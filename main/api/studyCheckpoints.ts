/** Checkpoints that studies write appear in the catalogue as soon as their evaluation is in the database. */
import type { Job } from '../contract/api.ts';
import { stageOutputSchemas } from '../contract/requests.ts';
import type { JobListener } from '../jobs/supervisor.ts';
import type { Logger } from '../logging/log.ts';
import type { Store } from '../store/store.ts';
import { readCatalogueRow } from './catalogue.ts';
import type { CatalogueJobs } from './catalogueJobs.ts';
import type { EventBus } from './eventBus.ts';
import { setStudyLineage, writtenCheckpoints } from './studyLineage.ts';

interface WrittenCheckpoint {
  folder: string;
  step: number | null;
  name: string;
}

/** "SFT on ID data · seed 0 · step 200" */
const nameAt = (job: Job, step: number): string => `${job.title} · ${job.kind === 'rl' ? 'iteration' : 'step'} ${step}`;

function writtenBy(store: Store, job: Job): WrittenCheckpoint[] {
  const evaluated = writtenCheckpoints(store, job).map(({ folder, step }) => ({
    folder,
    step,
    name: nameAt(job, step),
  }));
  const base = job.kind === 'pretrain' ? stageOutputSchemas.pretrain.safeParse(store.jobs.output(job.id)) : null;
  return base?.success
    ? [...evaluated, { folder: base.data.base, step: null, name: `Base · seed ${job.seed}` }]
    : evaluated;
}

/** Keeps the catalogue up to date with what the jobs of studies write. */
export function catalogueStudyCheckpoints(
  store: Store,
  events: EventBus,
  catalogue: CatalogueJobs,
  log: Logger,
): JobListener {
  /** By folder: whoever comes second waits for the first. */
  const underWay = new Map<string, Promise<void>>();
  const addOne = async (job: Job, { folder, step, name }: WrittenCheckpoint): Promise<void> => {
    if (!job.studyId) return;
    try {
      const row = await readCatalogueRow(folder, { name, studyId: job.studyId, seed: job.seed, step });
      store.transaction(() => {
        store.checkpoints.put(row);
        setStudyLineage(store, job);
      });
      events.publish({ type: 'checkpoints' });
    } catch (error) {
      log.warn({ err: error, folder }, 'A checkpoint of a study cannot be listed');
    }
  };
  const add = (job: Job, written: WrittenCheckpoint): Promise<void> => {
    const { folder } = written;
    const first = underWay.get(folder);
    if (first) return first;
    if (store.checkpoints.byFolder(folder)) return Promise.resolve();
    const adding = addOne(job, written).finally(() => underWay.delete(folder));
    underWay.set(folder, adding);
    return adding;
  };
  const addAll = async (job: Job): Promise<void> => {
    if (job.studyId) await Promise.all(writtenBy(store, job).map((written) => add(job, written)));
  };
  /** All checkpoints of a stage in one job, once the stage has ended. */
  const addAllAndHash = async (job: Job): Promise<void> => {
    if (!job.studyId) return;
    await addAll(job);
    const folders = writtenBy(store, job).map(({ folder }) => folder);
    const rows = folders.flatMap((folder) => store.checkpoints.byFolder(folder) ?? []);
    catalogue.hash(rows.filter(({ contentHash }) => contentHash === null));
  };
  const inBackground = (work: Promise<void>): void => {
    work.catch((error: unknown) => log.warn({ err: error }, 'Checkpoints of a study could not be looked after'));
  };
  return {
    onJob: () => undefined,
    onEvents: (job, arrived) => {
      if (arrived.some((event) => event.type === 'evaluation' || event.type === 'succeeded')) inBackground(addAll(job));
    },
    // What a crash of the engine has cut off is made up for here.
    onSettled: (job) => inBackground(addAllAndHash(job)),
  };
}
