/** Studies and the stages of their stored plans. */
import type { Selectable } from 'kysely';
import type { JobKind, Stage, Study } from '../contract/api.ts';
import { studySettingsSchema, type StudySettings } from '../contract/settings.ts';
import type { Database } from './database.ts';
import type { StagesTable, StudiesTable } from './schema.ts';

export type StudyState = Study['state'];
export type StageState = Stage['state'];

/** A study without its stages, as stored. */
export interface StudyRecord {
  id: string;
  name: string;
  settings: StudySettings;
  settingsHash: string;
  state: StudyState;
  sample: boolean;
  revision: number;
  createdAtMs: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  deletedAtMs: number | null;
}

export interface StageRecord extends Omit<Stage, 'alert'> {
  /** Expected duration, s. */
  weight: number;
  output: unknown;
  note: string | null;
}

/** Settings that are younger than the study have their defaults. */
function settingsOf(json: string): StudySettings {
  const stored: unknown = JSON.parse(json);
  const parsed = studySettingsSchema.safeParse(stored);
  return parsed.success ? parsed.data : (stored as StudySettings);
}

const toStudy = ({ settingsJson, sample, state, ...row }: Selectable<StudiesTable>): StudyRecord => ({
  ...row,
  settings: settingsOf(settingsJson),
  sample: sample === 1,
  state: state as StudyState,
});

const toStage = (row: Selectable<StagesTable>): StageRecord => ({
  id: row.id,
  seed: row.seed,
  kind: row.kind as JobKind,
  title: row.title,
  dependsOn: JSON.parse(row.dependsOnJson) as string[],
  state: row.state as StageState,
  jobId: row.jobId,
  weight: row.weight,
  output: row.outputJson === null ? undefined : (JSON.parse(row.outputJson) as unknown),
  note: row.note,
});

export class StudyStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  insert(study: StudyRecord, stages: StageRecord[]): void {
    this.#db.transaction(() => {
      const { settings, sample, ...columns } = study;
      const row = { ...columns, settingsJson: JSON.stringify(settings), sample: sample ? 1 : 0 };
      this.#db.run(this.#db.sql.insertInto('studies').values(row));
      stages.forEach((stage, position) => {
        const { dependsOn, output, ...stageColumns } = stage;
        const stageRow = {
          ...stageColumns,
          studyId: study.id,
          position,
          dependsOnJson: JSON.stringify(dependsOn),
          outputJson: output === undefined ? null : JSON.stringify(output),
        };
        this.#db.run(this.#db.sql.insertInto('stages').values(stageRow));
      });
    });
  }

  get(id: string): StudyRecord | undefined {
    const row = this.#db.first(this.#db.sql.selectFrom('studies').selectAll().where('id', '=', id));
    return row && toStudy(row);
  }

  /** Newest first, without the trash. */
  list(): StudyRecord[] {
    const query = this.#db.sql.selectFrom('studies').selectAll().where('deletedAtMs', 'is', null);
    return this.#db.all(query.orderBy('createdAtMs', 'desc').orderBy('id', 'desc')).map(toStudy);
  }

  /** The newest study with these settings that is neither a sample nor in the trash. */
  findBySettings(settingsHash: string): StudyRecord | undefined {
    const query = this.#db.sql
      .selectFrom('studies')
      .selectAll()
      .where('settingsHash', '=', settingsHash)
      .where('sample', '=', 0)
      .where('deletedAtMs', 'is', null)
      .orderBy('createdAtMs', 'desc')
      .limit(1);
    const row = this.#db.first(query);
    return row && toStudy(row);
  }

  stages(studyId: string): StageRecord[] {
    const query = this.#db.sql.selectFrom('stages').selectAll().where('studyId', '=', studyId).orderBy('position');
    return this.#db.all(query).map(toStage);
  }

  update(
    id: string,
    set: Partial<Pick<StudyRecord, 'name' | 'state' | 'startedAtMs' | 'endedAtMs' | 'deletedAtMs'>>,
  ): void {
    this.#db.run(this.#db.sql.updateTable('studies').set(set).where('id', '=', id));
  }

  updateStage(
    studyId: string,
    id: string,
    set: Partial<Pick<StageRecord, 'state' | 'jobId' | 'output' | 'note'>>,
  ): void {
    const { output, ...columns } = set;
    const values = { ...columns, ...('output' in set ? { outputJson: JSON.stringify(output ?? null) } : {}) };
    this.#db.run(this.#db.sql.updateTable('stages').set(values).where('studyId', '=', studyId).where('id', '=', id));
  }

  /** @returns the revision after this change */
  bumpRevision(id: string): number {
    const query = this.#db.sql.updateTable('studies').set(({ eb, ref }) => ({ revision: eb(ref('revision'), '+', 1) }));
    this.#db.run(query.where('id', '=', id));
    return this.revision(id);
  }

  revision(id: string): number {
    const query = this.#db.sql.selectFrom('studies').select('revision').where('id', '=', id);
    return this.#db.first(query)?.revision ?? 0;
  }
}
