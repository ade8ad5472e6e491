/** The jobs that look after the catalogue: hashing in the background, copies, differences of two checkpoints. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, Job } from '../contract/api.ts';
import { copyOutputSchema, copyRequestSchema, hashOutputSchema, hashRequestSchema } from '../contract/catalogue.ts';
import type { JobListener, JobSupervisor } from '../jobs/supervisor.ts';
import type { Store } from '../store/store.ts';
import type { EventBus } from './eventBus.ts';

/** More checkpoints make another job: a job's request travels with every progress that it makes. */
const checkpointsPerJob = 100;
/** Jobs that are looked through for what they hashed. */
const rememberedJobs = 100_000;
/** Between two words that the list has changed; a list of thousands takes a page longer to fetch. */
const publishIntervalMs = 1000;
const publishMsPerRow = 0.5;

export interface CatalogueJobsOptions {
  store: Store;
  supervisor: JobSupervisor;
  events: EventBus;
  dataFolder: string;
}

const outside = { studyId: null, stageId: null, seed: null } as const;

/** Ids that a hashing job is about. */
function hashedBy(job: Job): string[] {
  const request = hashRequestSchema.safeParse(job.request);
  return request.success ? request.data.checkpoints.map(({ id }) => id) : [];
}

export class CatalogueJobs {
  readonly #options: CatalogueJobsOptions;
  #stopped = false;
  #publishTimer: NodeJS.Timeout | null = null;

  constructor(options: CatalogueJobsOptions) {
    this.#options = options;
    options.supervisor.listen(this.#listener());
  }

  get copiesFolder(): string {
    return join(this.#options.dataFolder, 'checkpoints');
  }

  /**
   * Hashes checkpoints whose files are there and which no job hashes already.
   * @returns the first job; null when there is nothing to do
   */
  hash(checkpoints: readonly Checkpoint[]): Job | null {
    if (this.#stopped) return null;
    const underWay = new Set(this.#active('hashCheckpoints').flatMap(hashedBy));
    const wanted = checkpoints.filter(({ id, folder }) => !underWay.has(id) && existsSync(folder));
    let first: Job | null = null;
    for (let from = 0; from < wanted.length; from += checkpointsPerJob) {
      const some = wanted.slice(from, from + checkpointsPerJob);
      const title = some.length === 1 ? `Hash ${some[0]!.name}` : `Hash ${some.length} checkpoints`;
      const request = {
        checkpoints: some.map(({ id, name, folder, contentHash }) => ({ id, name, folder, expected: contentHash })),
      };
      const job = this.#options.supervisor.enqueue({ ...outside, kind: 'hashCheckpoints', title, request });
      first ??= job;
    }
    return first;
  }

  /** Copies a checkpoint into the data folder; its row points at the copy afterwards. */
  copy({ id, name, folder, copied }: Checkpoint): Job | null {
    const underWay = this.#active('copyCheckpoint').some((job) => copyRequestSchema.parse(job.request).id === id);
    if (this.#stopped || copied || underWay) return null;
    const { copiesFolder } = this;
    const request = { id, name, source: folder, target: this.#freeFolder(name), copiesFolder };
    return this.#options.supervisor.enqueue({ ...outside, kind: 'copyCheckpoint', title: `Copy ${name}`, request });
  }

  diff(title: string, request: unknown): Job {
    return this.#options.supervisor.enqueue({ ...outside, kind: 'diffCheckpoints', title, request });
  }

  /**
   * After a start: what the last stop interrupted goes on, and checkpoints that nobody has hashed yet are hashed. A job
   * that the user cancelled, or that failed, waits for the user.
   */
  recover(): void {
    const { store, supervisor } = this.#options;
    for (const { id, kind, error } of store.jobs.withState('interrupted'))
      if ((kind === 'hashCheckpoints' || kind === 'copyCheckpoint') && error?.code === 'INTERRUPTED')
        supervisor.resume(id);
    const jobs = store.jobs.list(rememberedJobs);
    const known = new Set(jobs.filter(({ kind }) => kind === 'hashCheckpoints').flatMap(hashedBy));
    const copying = this.#active('copyCheckpoint').map((job) => copyRequestSchema.parse(job.request).id);
    for (const id of copying) known.add(id);
    this.hash(store.checkpoints.list().filter(({ id, contentHash }) => contentHash === null && !known.has(id)));
  }

  /** Call before the supervisor stops: nothing new begins. */
  stop(): void {
    this.#stopped = true;
    if (this.#publishTimer) clearTimeout(this.#publishTimer);
  }

  #active(kind: Job['kind']): Job[] {
    return this.#options.store.jobs.withState('queued', 'running').filter((job) => job.kind === kind);
  }

  /** A folder of the data folder that neither is there nor is being made. */
  #freeFolder(name: string): string {
    const plain = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^[-.]+|[-.]+$/g, '') || 'checkpoint';
    const taken = new Set(this.#active('copyCheckpoint').map((job) => copyRequestSchema.parse(job.request).target));
    for (let number = 1; ; number++) {
      const folder = join(this.copiesFolder, `${plain.slice(0, 120)}${number === 1 ? '' : `-${number}`}`);
      if (!taken.has(folder) && !existsSync(folder) && !existsSync(`${folder}.partial`)) return folder;
    }
  }

  #listener(): JobListener {
    return {
      onJob: () => undefined,
      onEvents: (_job, events) => {
        if (events.some(({ type }) => type === 'checkpointDigest')) this.#publishSoon();
      },
      onSettled: (job) => {
        if (job.kind === 'copyCheckpoint') this.#copied(job);
        if (job.kind === 'hashCheckpoints') this.#hashed(job);
      },
    };
  }

  /** Many checkpoints a second may be hashed; a page asks for the whole list each time. */
  #publishSoon(): void {
    if (this.#publishTimer) return;
    const intervalMs = Math.max(publishIntervalMs, publishMsPerRow * this.#options.store.checkpoints.folders().length);
    this.#publishTimer = setTimeout(() => {
      this.#publishTimer = null;
      this.#options.events.publish({ type: 'checkpoints' });
    }, intervalMs).unref();
  }

  #copied(job: Job): void {
    const { store, events } = this.#options;
    const output = copyOutputSchema.safeParse(store.jobs.output(job.id));
    if (job.state === 'succeeded' && output.success) {
      const { id, folder, files } = output.data;
      store.checkpoints.relocate(id, { folder, stamps: files, copied: true });
      events.publish({ type: 'checkpoints' });
    }
    // An interrupted or paused copy goes on; all others leave a checkpoint that is hashed where it lies.
    const checkpoint = store.checkpoints.get(copyRequestSchema.parse(job.request).id);
    if (job.state !== 'interrupted' && job.state !== 'paused' && checkpoint?.contentHash === null)
      this.hash([checkpoint]);
  }

  #hashed(job: Job): void {
    const { store, events } = this.#options;
    events.publish({ type: 'checkpoints' });
    const output = hashOutputSchema.safeParse(store.jobs.output(job.id));
    if (job.state !== 'succeeded' || !output.success) return;
    for (const { name, contentHash, expected } of output.data.checkpoints) {
      if (expected === null || expected === contentHash) continue;
      store.app.addNotice(`The weights of ${name} are not those that were hashed before: their content has changed.`);
      events.publish({ type: 'app' });
    }
  }
}
