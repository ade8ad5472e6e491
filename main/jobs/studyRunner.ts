/**
 * Runs stored plans: every stage whose dependencies have succeeded becomes a job; a failed one stops what depends on
 * it and nothing else. A study ends when nothing of it runs and nothing can start.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Job, Study } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { resumableStates } from '../contract/queue.ts';
import type { StudySettings } from '../contract/settings.ts';
import type { Store } from '../store/store.ts';
import type { StageRecord, StudyRecord, StudyState } from '../store/studyStore.ts';
import type { PlannedStage, StageFacts } from '../studies/plan.ts';
import { protocol } from '../studies/protocol.ts';
import { settingsHash } from './settingsHash.ts';
import { toStudy } from './studyProgress.ts';
import { seedResult } from './studyResult.ts';
import type { JobSupervisor } from './supervisor.ts';

export interface StudyRunnerOptions {
  store: Store;
  supervisor: JobSupervisor;
  /** One folder a study below it, for everything that its stages write. */
  studiesFolder: string;
  /** Real time per second of a stage's weight until the study has measured its own. */
  msPerWeight(settings: StudySettings): number;
  onChanged(studyId: string, revision: number): void;
}

function newStage(stage: PlannedStage): StageRecord {
  return { ...stage, state: 'waiting', jobId: null, output: undefined, note: null };
}

/** Of a study in which nothing runs and nothing can start. */
function endState(stages: readonly StageRecord[]): StudyState {
  const has = (state: StageRecord['state']): boolean => stages.some((stage) => stage.state === state);
  if (has('failed')) return 'failed';
  if (has('paused')) return 'paused';
  if (has('interrupted')) return 'interrupted';
  if (has('cancelled')) return 'cancelled';
  return 'succeeded';
}

const sampleRefusal = (): AppError =>
  new AppError('CONFLICT', 'The sample study shows stored results and does not run.', {
    hint: 'Create a study of your own with its settings.',
  });

/** A stage and all that need it, directly or not. */
function dependents(stages: readonly StageRecord[], stageId: string): Set<string> {
  const found = new Set([stageId]);
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const { id, dependsOn } of stages) if (dependsOn.some((one) => found.has(one))) found.add(id);
  }
  return found;
}

export class StudyRunner {
  readonly #options: StudyRunnerOptions;

  constructor(options: StudyRunnerOptions) {
    this.#options = options;
    options.supervisor.listen({
      onJob: (job) => this.#onJob(job),
      onEvents: (job) => {
        // Ingestion has raised the revision with the rows.
        if (job.studyId) options.onChanged(job.studyId, options.store.studies.revision(job.studyId));
      },
      onSettled: (job) => this.#onSettled(job),
    });
  }

  get studiesFolder(): string {
    return this.#options.studiesFolder;
  }

  folder(studyId: string): string {
    return join(this.#options.studiesFolder, studyId);
  }

  /** @throws NOT_FOUND also for a study in the trash */
  record(id: string): StudyRecord {
    const study = this.#options.store.studies.get(id);
    if (!study || study.deletedAtMs !== null)
      throw new AppError('NOT_FOUND', 'This study is not in the list.', {
        hint: 'It may be in the trash: restore it.',
      });
    return study;
  }

  view(id: string): Study {
    return this.#view(this.record(id));
  }

  list(): Study[] {
    return this.#options.store.studies.list().map((study) => this.#view(study));
  }

  #view(study: StudyRecord): Study {
    const { store, supervisor, msPerWeight } = this.#options;
    const jobs = new Map(store.jobs.ofStudy(study.id).map((job) => [job.id, job]));
    const alertOf = (jobId: string): string | null => store.results.lastAlert(jobId);
    // Asked for only where there is time left to tell: it looks through earlier jobs.
    const pace = study.state === 'running' ? msPerWeight(study.settings) : 0;
    return toStudy(study, store.studies.stages(study.id), jobs, supervisor.slots, pace, alertOf);
  }

  /** The newest study with equal settings unless `forceNew`. */
  create(settings: StudySettings, forceNew: boolean): Study {
    const { store } = this.#options;
    const hash = settingsHash(settings);
    const existing = forceNew ? undefined : store.studies.findBySettings(hash);
    if (existing) return this.#view(existing);
    const id = randomUUID();
    const record: StudyRecord = {
      id,
      name: settings.name,
      settings,
      settingsHash: hash,
      state: 'draft',
      sample: false,
      revision: 1,
      createdAtMs: Date.now(),
      startedAtMs: null,
      endedAtMs: null,
      deletedAtMs: null,
    };
    store.studies.insert(record, protocol.plan(settings).map(newStage));
    this.#options.onChanged(id, 1);
    return this.view(id);
  }

  /** Starts or goes on. A finished or running study is answered as it is. */
  start(id: string): Study {
    const study = this.record(id);
    if (study.state !== 'draft' && !resumableStates.includes(study.state)) return this.#view(study);
    if (study.sample) throw sampleRefusal();
    const { store, supervisor } = this.#options;
    mkdirSync(this.folder(id), { recursive: true });
    store.studies.update(id, { state: 'running', startedAtMs: study.startedAtMs ?? Date.now(), endedAtMs: null });
    for (const stage of store.studies.stages(id)) {
      if (!resumableStates.includes(stage.state)) continue;
      // A job that failed before it could begin has no request: it is resolved anew.
      if (stage.jobId && store.jobs.get(stage.jobId)?.startedAtMs) supervisor.resume(stage.jobId);
      else store.studies.updateStage(id, stage.id, { state: 'waiting', jobId: null, note: null });
    }
    this.#advance(id);
    return this.view(id);
  }

  /**
   * Runs a stage again, and everything that depends on it. Their former jobs stay in the list, but are no longer this study's
   * stages.
   * @throws NOT_FOUND; CONFLICT while the study runs, and for a sample
   */
  rerun(id: string, stageId: string): Study {
    const study = this.record(id);
    const { store } = this.#options;
    const stages = store.studies.stages(id);
    if (!stages.some((stage) => stage.id === stageId))
      throw new AppError('NOT_FOUND', `The study has no stage "${stageId}".`, { hint: 'Reload the page.' });
    if (study.state === 'running')
      throw new AppError('CONFLICT', 'The study is running.', { hint: 'Cancel it first, or wait until it has ended.' });
    if (study.sample) throw sampleRefusal();
    const again = dependents(stages, stageId);
    store.transaction(() => {
      for (const stage of stages) {
        if (!again.has(stage.id)) continue;
        if (stage.jobId !== null) store.jobs.detach(stage.jobId);
        store.studies.updateStage(id, stage.id, { state: 'waiting', jobId: null, output: null, note: null });
      }
      store.studies.update(id, { state: 'interrupted' });
    });
    return this.start(id);
  }

  /** Stops everything of the study; what has been computed stays, and `start` goes on from it. */
  cancel(id: string): Study {
    const study = this.record(id);
    if (study.state !== 'running' && study.state !== 'paused') return this.#view(study);
    const { store, supervisor } = this.#options;
    store.studies.update(id, { state: 'cancelled', endedAtMs: Date.now() });
    for (const job of store.jobs.ofStudy(id))
      if (['queued', 'running', 'paused'].includes(job.state)) supervisor.cancel(job.id);
    this.#bump(id);
    return this.view(id);
  }

  /** Resumes one job; its study goes on with what depends on it. @throws NOT_FOUND; CONFLICT when it cannot be resumed */
  resumeJob(jobId: string): Job {
    const job = this.#options.supervisor.resume(jobId);
    if (job.studyId) {
      this.#options.store.studies.update(job.studyId, { state: 'running', endedAtMs: null });
      this.#bump(job.studyId);
    }
    return job;
  }

  /** After a start of the engine: studies that a crash left running go on; stage states are made to fit their jobs. */
  recover(): void {
    const { store } = this.#options;
    for (const study of store.studies.list()) {
      if (study.state !== 'running') continue;
      for (const job of store.jobs.ofStudy(study.id)) this.#takeOver(study.id, job);
      this.#advance(study.id);
    }
  }

  rename(id: string, name: string): Study {
    this.record(id);
    this.#options.store.studies.update(id, { name });
    this.#bump(id);
    return this.view(id);
  }

  /** Into the trash; a running one is stopped first. */
  remove(id: string): void {
    this.cancel(id);
    this.#options.store.studies.update(id, { deletedAtMs: Date.now() });
    this.#bump(id);
  }

  /** Out of the trash. @throws NOT_FOUND */
  restore(id: string): Study {
    if (!this.#options.store.studies.get(id)) return this.view(id);
    this.#options.store.studies.update(id, { deletedAtMs: null });
    this.#bump(id);
    return this.view(id);
  }

  /** The engine stops in order: running studies wait for the user. Call after the supervisor has stopped. */
  stop(): void {
    const { store } = this.#options;
    for (const study of store.studies.list())
      if (study.state === 'running') store.studies.update(study.id, { state: 'interrupted', endedAtMs: Date.now() });
  }

  #onJob(job: Job): void {
    if (!job.studyId) return;
    this.#takeOver(job.studyId, job);
    this.#bump(job.studyId);
  }

  #onSettled(job: Job): void {
    if (!job.studyId) return;
    const { store } = this.#options;
    this.#takeOver(job.studyId, job);
    const study = store.studies.get(job.studyId);
    if (study?.state === 'running') this.#advance(study.id);
    else this.#bump(job.studyId);
  }

  /** A stage is in the state of its job; what the job left becomes the stage's output. */
  #takeOver(studyId: string, job: Job): void {
    const { store } = this.#options;
    if (!job.stageId) return;
    const output = job.state === 'succeeded' ? { output: store.jobs.output(job.id) } : {};
    store.studies.updateStage(studyId, job.stageId, { state: job.state, jobId: job.id, ...output });
  }

  /** Starts what can start, and ends the study when nothing is left to do. */
  #advance(studyId: string): void {
    const { store } = this.#options;
    for (let startedOne = true; startedOne;) {
      startedOne = false;
      const stages = store.studies.stages(studyId);
      const succeeded = new Set(stages.filter((stage) => stage.state === 'succeeded').map((stage) => stage.id));
      for (const stage of stages) {
        if (stage.state !== 'waiting' || !stage.dependsOn.every((id) => succeeded.has(id))) continue;
        this.#startStage(this.record(studyId), stage);
        startedOne = true;
      }
    }
    this.#finishIfDone(studyId);
    this.#bump(studyId);
  }

  #finishIfDone(studyId: string): void {
    const { store } = this.#options;
    const stages = store.studies.stages(studyId);
    if (stages.some((stage) => stage.state === 'queued' || stage.state === 'running')) return;
    const state = endState(stages);
    store.studies.update(studyId, { state, endedAtMs: state === 'paused' ? null : Date.now() });
  }

  #startStage(study: StudyRecord, stage: StageRecord): void {
    const { store, supervisor } = this.#options;
    const { kind, seed } = stage;
    const title = seed >= 0 ? `${stage.title} · seed ${seed}` : stage.title;
    const order = { kind, title, studyId: study.id, stageId: stage.id, seed: seed >= 0 ? seed : null };
    try {
      const resolved = protocol.resolve(stage, this.#facts(study));
      if ('skip' in resolved) {
        const { data, reason } = resolved;
        store.studies.updateStage(study.id, stage.id, { state: 'succeeded', output: data, note: reason });
        return;
      }
      supervisor.enqueue({ ...order, request: resolved.request });
    } catch (error) {
      supervisor.recordFailure({ ...order, request: null }, error);
    }
  }

  #facts(study: StudyRecord): StageFacts {
    const { store } = this.#options;
    const done = store.studies.stages(study.id).filter((stage) => stage.state === 'succeeded');
    return {
      settings: study.settings,
      studyFolder: this.folder(study.id),
      outputs: new Map(done.map((stage) => [stage.id, stage.output])),
      seedResult: (seed) => seedResult(store, study, seed),
    };
  }

  #bump(studyId: string): void {
    this.#options.onChanged(studyId, this.#options.store.studies.bumpRevision(studyId));
  }
}
