/** Training runs: what their users say of them, and their curves as one row a quantity. */
import type { Run, RunKind } from '../contract/runs.ts';
import { runKinds } from '../contract/runs.ts';
import type { Database } from './database.ts';

/** One quantity over the steps of a run. */
export interface Series {
  /** Ascending. */
  steps: Int32Array;
  values: Float64Array;
}

export interface RunSummary extends Pick<Run, 'points' | 'lastStep' | 'last' | 'peakOod'> {
  /** `lastSeq` of the job that the series were made at. */
  seriesSeq: number;
}

const blob = ({ buffer, byteOffset, byteLength }: Int32Array | Float64Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
/** Buffers of SQLite may begin anywhere; typed arrays may not. */
const aligned = ({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer =>
  (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);

const toSeries = ({ steps, values }: { steps: Buffer; values: Buffer }): Series => ({
  steps: new Int32Array(aligned(steps)),
  values: new Float64Array(aligned(values)),
});

export class RunStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Newest first: runs of studies that are not in the trash. @param trash only the runs in the trash, or only the others */
  list(trash: boolean): Run[] {
    const query = this.#db.sql
      .selectFrom('jobs')
      .leftJoin('runs', 'runs.jobId', 'jobs.id')
      .leftJoin('studies', 'studies.id', 'jobs.studyId')
      .select(['jobs.id', 'jobs.studyId', 'jobs.stageId', 'jobs.kind', 'jobs.title', 'jobs.seed', 'jobs.state'])
      .select(['jobs.createdAtMs', 'jobs.startedAtMs', 'jobs.endedAtMs', 'studies.name as studyName'])
      .select(['runs.note', 'runs.tagsJson', 'runs.points', 'runs.lastStep', 'runs.lastJson', 'runs.peakOodJson'])
      .where('jobs.kind', 'in', [...runKinds])
      .where('studies.deletedAtMs', 'is', null)
      .where('runs.deletedAtMs', trash ? 'is not' : 'is', null)
      .orderBy('jobs.createdAtMs', 'desc')
      .orderBy('jobs.id', 'desc');
    return this.#db.all(query).map(({ tagsJson, lastJson, peakOodJson, ...row }) => ({
      ...row,
      kind: row.kind as RunKind,
      studyName: row.studyName ?? '',
      note: row.note ?? '',
      points: row.points ?? 0,
      tags: JSON.parse(tagsJson ?? '[]') as string[],
      last: JSON.parse(lastJson ?? '{}') as Run['last'],
      peakOod: JSON.parse(peakOodJson ?? 'null') as Run['peakOod'],
    }));
  }

  /** Runs of which more has been said than their series hold. */
  stale(): string[] {
    const query = this.#db.sql
      .selectFrom('jobs')
      .leftJoin('runs', 'runs.jobId', 'jobs.id')
      .select('jobs.id')
      .where('jobs.kind', 'in', [...runKinds])
      .where(({ eb, or, ref }) =>
        or([eb('runs.seriesSeq', 'is', null), eb('runs.seriesSeq', '!=', ref('jobs.lastSeq'))]),
      );
    return this.#db.all(query).map(({ id }) => id);
  }

  putSeries(jobId: string, series: ReadonlyMap<string, Series>, summary: RunSummary): void {
    this.#db.transaction(() => {
      this.#db.run(this.#db.sql.deleteFrom('runSeries').where('jobId', '=', jobId));
      for (const [name, { steps, values }] of series) {
        const row = { jobId, name, steps: blob(steps), values: blob(values) };
        this.#db.run(this.#db.sql.insertInto('runSeries').values(row));
      }
      const { seriesSeq, points, lastStep, last, peakOod } = summary;
      const lastJson = JSON.stringify(last);
      this.#put(jobId, { seriesSeq, points, lastStep, lastJson, peakOodJson: peakOod && JSON.stringify(peakOod) });
    });
  }

  series(jobId: string, name: string): Series | undefined {
    const query = this.#db.sql.selectFrom('runSeries').select(['steps', 'values']).where('jobId', '=', jobId);
    const row = this.#db.first(query.where('name', '=', name));
    return row && toSeries(row);
  }

  /** Everything that was said of the run's steps up to `lastSeq`; undefined while no series are made of it. */
  allSeries(jobId: string, lastSeq: number): Map<string, Series> | undefined {
    const made = this.#db.first(
      this.#db.sql.selectFrom('runs').select('jobId').where('jobId', '=', jobId).where('seriesSeq', '=', lastSeq),
    );
    if (!made) return undefined;
    const rows = this.#db.all(this.#db.sql.selectFrom('runSeries').selectAll().where('jobId', '=', jobId));
    return new Map(rows.map((row) => [row.name, toSeries(row)]));
  }

  seriesNames(jobIds: readonly string[]): string[] {
    const names = new Set<string>();
    for (const jobId of jobIds)
      for (const { name } of this.#db.all(
        this.#db.sql.selectFrom('runSeries').select('name').where('jobId', '=', jobId),
      ))
        names.add(name);
    return [...names].sort();
  }

  setNote(jobId: string, note: string): void {
    this.#put(jobId, { note });
  }

  /** Tags in alphabetical order, none twice. */
  changeTags(jobId: string, add: readonly string[], remove: readonly string[]): void {
    const row = this.#db.first(this.#db.sql.selectFrom('runs').select('tagsJson').where('jobId', '=', jobId));
    const tags = new Set([...(JSON.parse(row?.tagsJson ?? '[]') as string[]), ...add]);
    for (const tag of remove) tags.delete(tag);
    this.#put(jobId, { tagsJson: JSON.stringify([...tags].sort((a, b) => a.localeCompare(b))) });
  }

  setDeleted(jobId: string, deletedAtMs: number | null): void {
    this.#put(jobId, { deletedAtMs });
  }

  #put(
    jobId: string,
    set: Partial<{ [K in 'note' | 'tagsJson' | 'lastJson']: string }> & Record<string, unknown>,
  ): void {
    const query = this.#db.sql.insertInto('runs').values({ jobId, ...set });
    this.#db.run(query.onConflict((c) => c.column('jobId').doUpdateSet(set)));
  }
}
