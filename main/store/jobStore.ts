/** Jobs: one row an execution, over all its attempts. */
import { type Selectable, sql } from 'kysely';
import type { Job, JobKind, JobState } from '../contract/api.ts';
import type { AppErrorShape } from '../contract/errors.ts';
import type { Database } from './database.ts';
import type { JobsTable } from './schema.ts';

type JobRow = Selectable<JobsTable>;

export interface NewJob {
  id: string;
  kind: JobKind;
  title: string;
  studyId: string | null;
  stageId: string | null;
  seed: number | null;
  request: unknown;
  createdAtMs: number;
}

/** What the ingestion of events.jsonl knows of a job. */
export interface IngestPosition {
  lastSeq: number;
  ingestedBytes: number;
  attemptSeq: number;
}

/** What an ended job of another data folder brings along. */
export type ImportedJob = Omit<Job, 'position' | 'stopping' | 'resumePoint'>;

const parse = <T>(json: string | null): T | null => (json === null ? null : (JSON.parse(json) as T));

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind as JobKind,
    title: row.title,
    state: row.state as JobState,
    studyId: row.studyId,
    stageId: row.stageId,
    seed: row.seed,
    request: JSON.parse(row.requestJson) as unknown,
    progress: parse<Job['progress']>(row.progressJson),
    provenance: parse<Job['provenance']>(row.provenanceJson),
    error: parse<Job['error']>(row.errorJson),
    position: row.position,
    stopping: row.stopping as Job['stopping'],
    resumePoint: parse<Job['resumePoint']>(row.resumePointJson),
    attempt: row.attempt,
    lastSeq: row.lastSeq,
    createdAtMs: row.createdAtMs,
    startedAtMs: row.startedAtMs,
    endedAtMs: row.endedAtMs,
  };
}

export class JobStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  insert(job: NewJob): void {
    const { request, ...columns } = job;
    const position = this.#lastPosition() + 1;
    const row = { ...columns, requestJson: JSON.stringify(request), state: 'queued', attempt: 1, position };
    this.#db.run(this.#db.sql.insertInto('jobs').values(row));
  }

  /** A finished job that comes with an imported study. */
  insertImported(job: ImportedJob): void {
    const { request, progress, provenance, error, ...columns } = job;
    const row = {
      ...columns,
      requestJson: JSON.stringify(request ?? null),
      progressJson: progress && JSON.stringify(progress),
      provenanceJson: provenance && JSON.stringify(provenance),
      errorJson: error && JSON.stringify(error),
    };
    this.#db.run(this.#db.sql.insertInto('jobs').values(row));
  }

  get(id: string): Job | undefined {
    const row = this.#db.first(this.#db.sql.selectFrom('jobs').selectAll().where('id', '=', id));
    return row && toJob(row);
  }

  /** Newest first. */
  list(limit: number): Job[] {
    const query = this.#db.sql.selectFrom('jobs').selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc');
    return this.#db.all(query.limit(limit)).map(toJob);
  }

  ofStudy(studyId: string): Job[] {
    return this.#db.all(this.#db.sql.selectFrom('jobs').selectAll().where('studyId', '=', studyId)).map(toJob);
  }

  /** The job has been a stage of its study; it is not any more. */
  detach(id: string): void {
    this.#db.run(this.#db.sql.updateTable('jobs').set({ stageId: null }).where('id', '=', id));
  }

  /** In the order of the queue. */
  withState(...states: JobState[]): Job[] {
    const query = this.#db.sql.selectFrom('jobs').selectAll().where('state', 'in', states);
    return this.#db.all(query.orderBy('position').orderBy('createdAtMs')).map(toJob);
  }

  #lastPosition(): number {
    const query = this.#db.sql.selectFrom('jobs').select(({ fn }) => fn.max('position').as('position'));
    return this.#db.first(query)?.position ?? 0;
  }

  /**
   * Places a waiting job before another one, or at the end.
   * @returns false when one of the two does not wait: nothing has changed
   */
  move(id: string, beforeId: string | null): boolean {
    return this.#db.transaction(() => {
      const queue = this.withState('queued');
      const job = queue.find((one) => one.id === id);
      const others = queue.filter((one) => one !== job);
      const index = beforeId === null ? others.length : others.findIndex((one) => one.id === beforeId);
      if (!job || index < 0) return false;
      if (others.length === 0) return true;
      const [before, after] = [others[index - 1]?.position, others[index]?.position];
      const between = ((before ?? after! - 2) + (after ?? before! + 2)) / 2;
      if (between !== before && between !== after) {
        this.#setPosition(id, between);
        return true;
      }
      // No number lies between the two any more (or they have the same): all places are given anew.
      const last = this.#lastPosition();
      others.toSpliced(index, 0, job).forEach((one, place) => this.#setPosition(one.id, last + 1 + place));
      return true;
    });
  }

  #setPosition(id: string, position: number): void {
    this.#db.run(this.#db.sql.updateTable('jobs').set({ position }).where('id', '=', id));
  }

  queuePaused(): boolean {
    return this.#db.first(this.#db.sql.selectFrom('queue').select('paused'))?.paused === 1;
  }

  setQueuePaused(paused: boolean): void {
    this.#db.run(this.#db.sql.updateTable('queue').set({ paused: paused ? 1 : 0 }));
  }

  /** A running job has been asked to stop. */
  setStopping(id: string, stopping: Job['stopping']): void {
    this.#db.run(this.#db.sql.updateTable('jobs').set({ stopping }).where('id', '=', id));
  }

  /**
   * Moves a job from one of `from` to `to`.
   * @returns false when the job was in none of `from`: someone else was first, and nothing has changed
   */
  transition(id: string, from: JobState[], to: JobState, values: { error?: AppErrorShape | null } = {}): boolean {
    const now = Date.now();
    const running = to === 'running';
    const set = {
      state: to,
      stopping: null,
      ...(running ? { startedAtMs: now } : {}),
      endedAtMs: running || to === 'queued' ? null : now,
      errorJson: values.error ? JSON.stringify(values.error) : null,
    };
    const query = this.#db.sql.updateTable('jobs').set(set).where('id', '=', id).where('state', 'in', from);
    return this.#db.run(query) === 1;
  }

  /** Puts a settled job back into the queue for its next attempt. */
  startAttempt(id: string, from: JobState[], automatic: boolean): boolean {
    return this.#db.transaction(() => {
      if (!this.transition(id, from, 'queued')) return false;
      const query = this.#db.sql.updateTable('jobs').set(({ eb, ref }) => ({
        attempt: eb(ref('attempt'), '+', 1),
        automaticAttempts: automatic ? eb(ref('automaticAttempts'), '+', 1) : eb.val(0),
        // Whatever the new attempt appends, begins after what is there.
        attemptSeq: eb(ref('lastSeq'), '+', 1),
      }));
      return this.#db.run(query.where('id', '=', id)) === 1;
    });
  }

  automaticAttempts(id: string): number {
    const query = this.#db.sql.selectFrom('jobs').select('automaticAttempts').where('id', '=', id);
    return this.#db.first(query)?.automaticAttempts ?? 0;
  }

  resetAutomaticAttempts(id: string): void {
    this.#db.run(this.#db.sql.updateTable('jobs').set({ automaticAttempts: 0 }).where('id', '=', id));
  }

  position(id: string): IngestPosition {
    const query = this.#db.sql.selectFrom('jobs').select(['lastSeq', 'ingestedBytes', 'attemptSeq']);
    return this.#db.first(query.where('id', '=', id)) ?? { lastSeq: 0, ingestedBytes: 0, attemptSeq: 0 };
  }

  setPosition(id: string, position: Omit<IngestPosition, 'attemptSeq'>): void {
    this.#db.run(this.#db.sql.updateTable('jobs').set(position).where('id', '=', id));
  }

  setProgress(id: string, progress: Job['progress']): void {
    const query = this.#db.sql.updateTable('jobs').set({ progressJson: progress && JSON.stringify(progress) });
    this.#db.run(query.where('id', '=', id));
  }

  setResumePoint(id: string, resumePoint: Job['resumePoint']): void {
    const resumePointJson = JSON.stringify(resumePoint);
    this.#db.run(this.#db.sql.updateTable('jobs').set({ resumePointJson }).where('id', '=', id));
  }

  setProvenance(id: string, provenance: Record<string, unknown>): void {
    const query = this.#db.sql.updateTable('jobs').set({ provenanceJson: JSON.stringify(provenance) });
    this.#db.run(query.where('id', '=', id));
  }

  setOutput(id: string, output: unknown): void {
    const query = this.#db.sql.updateTable('jobs').set({ outputJson: JSON.stringify(output ?? null) });
    this.#db.run(query.where('id', '=', id));
  }

  /** `data` of the `succeeded` event; null until then. */
  output(id: string): unknown {
    const query = this.#db.sql.selectFrom('jobs').select('outputJson').where('id', '=', id);
    return parse<unknown>(this.#db.first(query)?.outputJson ?? null);
  }

  /**
   * Pace of the newest succeeded jobs of a kind: ms per second of their stage's weight; for estimates.
   * @param ofCheckpoints of studies that start from a checkpoint, else of those that train their base
   */
  recentMsPerWeight(kind: JobKind, ofCheckpoints: boolean, limit: number): number[] {
    const query = this.#db.sql
      .selectFrom('jobs')
      .innerJoin('stages', 'stages.jobId', 'jobs.id')
      .innerJoin('studies', 'studies.id', 'jobs.studyId')
      .select(['jobs.startedAtMs', 'jobs.endedAtMs', 'stages.weight'])
      .where('jobs.kind', '=', kind)
      .where(({ ref }) => {
        const base = sql`json_extract(${ref('studies.settingsJson')}, '$.base')`;
        return ofCheckpoints ? sql<boolean>`${base} is not null` : sql<boolean>`${base} is null`;
      })
      .where('jobs.state', '=', 'succeeded')
      .where('jobs.attempt', '=', 1)
      .where('jobs.startedAtMs', 'is not', null)
      .where('stages.weight', '>', 0)
      // a sample was computed on another machine
      .where('studies.sample', '=', 0)
      .orderBy('jobs.endedAtMs', 'desc')
      .limit(limit);
    return this.#db.all(query).map((row) => (row.endedAtMs! - row.startedAtMs!) / row.weight);
  }
}
