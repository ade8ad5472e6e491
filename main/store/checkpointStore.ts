/** The checkpoint catalogue: rows that point at folders; the weights stay where they are. */
import { existsSync } from 'node:fs';
import type { Selectable } from 'kysely';
import type { Checkpoint } from '../contract/api.ts';
import type { Database } from './database.ts';
import type { CheckpointsTable } from './schema.ts';

function toCheckpoint(row: Selectable<CheckpointsTable>): Checkpoint {
  const { dtypesJson, hasTokenizer, copied, filesJson: _files, deletedAtMs: _deleted, ...columns } = row;
  return {
    ...columns,
    dtypes: JSON.parse(dtypesJson) as string[],
    hasTokenizer: hasTokenizer === 1,
    copied: copied === 1,
    missing: !existsSync(row.folder),
  };
}

export class CheckpointStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds a checkpoint, or brings the row of the same folder up to date (and out of the trash). @returns its id */
  put(checkpoint: Omit<Checkpoint, 'missing'>): string {
    const { dtypes, hasTokenizer, copied, ...columns } = checkpoint;
    const row = {
      ...columns,
      dtypesJson: JSON.stringify(dtypes),
      hasTokenizer: hasTokenizer ? 1 : 0,
      copied: copied ? 1 : 0,
    };
    const { id: _, importedAtMs: __, ...set } = { ...row, deletedAtMs: null };
    const query = this.#db.sql.insertInto('checkpoints').values(row);
    this.#db.run(query.onConflict((c) => c.column('folder').doUpdateSet(set)));
    return this.byFolder(checkpoint.folder)!.id;
  }

  byFolder(folder: string): Checkpoint | undefined {
    const row = this.#db.first(this.#db.sql.selectFrom('checkpoints').selectAll().where('folder', '=', folder));
    return row && toCheckpoint(row);
  }

  get(id: string): Checkpoint | undefined {
    const row = this.#db.first(this.#db.sql.selectFrom('checkpoints').selectAll().where('id', '=', id));
    return row && toCheckpoint(row);
  }

  /** Without the trash and without what belongs to studies in the trash; newest first. */
  list(): Checkpoint[] {
    const query = this.#db.sql
      .selectFrom('checkpoints')
      .leftJoin('studies', 'studies.id', 'checkpoints.studyId')
      .selectAll('checkpoints')
      .where('checkpoints.deletedAtMs', 'is', null)
      .where('studies.deletedAtMs', 'is', null)
      .orderBy('checkpoints.importedAtMs', 'desc')
      .orderBy('checkpoints.step')
      .orderBy('checkpoints.id');
    return this.#db.all(query).map(toCheckpoint);
  }

  setDeleted(id: string, deletedAtMs: number | null): boolean {
    return this.#db.run(this.#db.sql.updateTable('checkpoints').set({ deletedAtMs }).where('id', '=', id)) === 1;
  }
}
