/** The checkpoint catalogue: rows that point at folders, and what hashing has found in them. */
import { existsSync } from 'node:fs';
import type { Selectable } from 'kysely';
import type { Checkpoint, CheckpointPatch } from '../contract/api.ts';
import type { CheckpointDigest, FileStamp, TensorDigest } from '../contract/catalogue.ts';
import type { Database } from './database.ts';
import type { CheckpointsTable } from './schema.ts';

/** A row with the files as they were when it was made. */
export type NewCheckpoint = Omit<Checkpoint, 'missing'> & { stamps: FileStamp[] };

type Row = Omit<Selectable<CheckpointsTable>, 'filesJson' | 'deletedAtMs'>;
const columns = [
  'id', 'name', 'folder', 'architecture', 'modelType', 'parameters', 'bytes', 'dtypesJson', 'files', 'tensors',
  'headerHash', 'hasTokenizer', 'studyId', 'seed', 'step', 'importedAtMs', 'contentHash', 'nonFiniteTensors',
  'trajectory', 'referenceId', 'parentId', 'copied',
] as const satisfies (keyof Row)[]; // prettier-ignore

export class CheckpointStore {
  readonly #db: Database;
  /** Folders that were gone when somebody last looked: looking at thousands takes longer than a list may. */
  readonly #missing = new Set<string>();
  readonly #dtypes = new Map<string, string[]>();
  constructor(db: Database) {
    this.#db = db;
  }

  /** Field by field: thousands of rows are made at once, and a spread takes several times as long. */
  #toCheckpoint(row: Row): Checkpoint {
    return {
      id: row.id,
      name: row.name,
      folder: row.folder,
      architecture: row.architecture,
      modelType: row.modelType,
      parameters: row.parameters,
      bytes: row.bytes,
      dtypes: this.#dtypesOf(row.dtypesJson),
      files: row.files,
      tensors: row.tensors,
      headerHash: row.headerHash,
      hasTokenizer: row.hasTokenizer === 1,
      studyId: row.studyId,
      seed: row.seed,
      step: row.step,
      importedAtMs: row.importedAtMs,
      missing: this.#missing.has(row.folder),
      contentHash: row.contentHash,
      nonFiniteTensors: row.nonFiniteTensors,
      trajectory: row.trajectory,
      referenceId: row.referenceId,
      parentId: row.parentId,
      copied: row.copied === 1,
    };
  }

  /** A few lists of types come again and again. */
  #dtypesOf(json: string): string[] {
    let dtypes = this.#dtypes.get(json);
    if (!dtypes) this.#dtypes.set(json, (dtypes = JSON.parse(json) as string[]));
    return dtypes;
  }

  /** One row, with a look at whether its folder is there. */
  #fresh(row: Row | undefined): Checkpoint | undefined {
    if (row === undefined) return undefined;
    this.setMissing(row.folder, !existsSync(row.folder));
    return this.#toCheckpoint(row);
  }

  #select() {
    return this.#db.sql.selectFrom('checkpoints').select(columns.map((column) => `checkpoints.${column}` as const));
  }

  /** Adds a checkpoint, or brings the row of the same folder up to date (and out of the trash). @returns its id */
  put(checkpoint: NewCheckpoint): string {
    const { dtypes, hasTokenizer, copied, stamps, ...fields } = checkpoint;
    const row = {
      ...fields,
      dtypesJson: JSON.stringify(dtypes),
      hasTokenizer: hasTokenizer ? 1 : 0,
      copied: copied ? 1 : 0,
      filesJson: JSON.stringify(stamps),
    };
    const { id: _, importedAtMs: __, ...set } = { ...row, deletedAtMs: null };
    return this.#db.transaction(() => {
      const query = this.#db.sql.insertInto('checkpoints').values(row);
      this.#db.run(query.onConflict((c) => c.column('folder').doUpdateSet(set)));
      const { id } = this.byFolder(checkpoint.folder)!;
      if (checkpoint.contentHash === null) this.#removeTensors(id);
      return id;
    });
  }

  byFolder(folder: string): Checkpoint | undefined {
    return this.#fresh(this.#db.first(this.#select().where('folder', '=', folder)));
  }

  get(id: string): Checkpoint | undefined {
    return this.#fresh(this.#db.first(this.#select().where('id', '=', id)));
  }

  /** Without the trash and without what belongs to studies in the trash; newest first. */
  list(): Checkpoint[] {
    const query = this.#select()
      .leftJoin('studies', 'studies.id', 'checkpoints.studyId')
      .where('checkpoints.deletedAtMs', 'is', null)
      .where('studies.deletedAtMs', 'is', null)
      .orderBy('checkpoints.importedAtMs', 'desc')
      .orderBy('checkpoints.step')
      .orderBy('checkpoints.id');
    return this.#db.all(query).map((row) => this.#toCheckpoint(row));
  }

  /** Of a training run, by step; with the trash. */
  ofTrajectory(trajectory: string): Checkpoint[] {
    const query = this.#select().where('trajectory', '=', trajectory).orderBy('step');
    return this.#db.all(query).map((row) => this.#toCheckpoint(row));
  }

  /** Every folder of the catalogue, once. */
  folders(): string[] {
    const query = this.#db.sql.selectFrom('checkpoints').select('folder').where('deletedAtMs', 'is', null);
    return this.#db.all(query).map(({ folder }) => folder);
  }

  isMissing(folder: string): boolean {
    return this.#missing.has(folder);
  }

  setMissing(folder: string, missing: boolean): void {
    if (missing) this.#missing.add(folder);
    else this.#missing.delete(folder);
  }

  /** Files as they were when they were last looked at; empty for a row of an older version. */
  stamps(id: string): FileStamp[] {
    const query = this.#db.sql.selectFrom('checkpoints').select('filesJson').where('id', '=', id);
    const json = this.#db.first(query)?.filesJson;
    return json ? (JSON.parse(json) as FileStamp[]) : [];
  }

  update(id: string, patch: CheckpointPatch): void {
    if (Object.keys(patch).length === 0) return;
    this.#db.run(this.#db.sql.updateTable('checkpoints').set(patch).where('id', '=', id));
  }

  /** The same checkpoint in another place. */
  relocate(id: string, place: { folder: string; stamps: FileStamp[]; copied: boolean }): void {
    const set = { folder: place.folder, filesJson: JSON.stringify(place.stamps), copied: place.copied ? 1 : 0 };
    this.#db.run(this.#db.sql.updateTable('checkpoints').set(set).where('id', '=', id));
  }

  /** What a pass over all bytes has found takes the place of what was known. */
  putDigest({ id, contentHash, files, tensors }: CheckpointDigest): void {
    const nonFiniteTensors = tensors.filter(({ nan, infinite }) => nan + infinite > 0).length;
    const set = { contentHash, nonFiniteTensors, filesJson: JSON.stringify(files) };
    const query = this.#db.sql.updateTable('checkpoints').set(set).where('id', '=', id);
    this.#db.transaction(() => {
      if (this.#db.run(query) === 0) return;
      this.#removeTensors(id);
      for (const [position, tensor] of tensors.entries())
        this.#db.run(this.#db.sql.insertInto('checkpointTensors').values({ checkpointId: id, position, ...tensor }));
    });
  }

  #removeTensors(id: string): void {
    this.#db.run(this.#db.sql.deleteFrom('checkpointTensors').where('checkpointId', '=', id));
  }

  /** Tensors of a hashed checkpoint, in its order. */
  digests(id: string): TensorDigest[] {
    const query = this.#db.sql.selectFrom('checkpointTensors').select(['name', 'hash', 'norm', 'nan', 'infinite']);
    return this.#db.all(query.where('checkpointId', '=', id).orderBy('position'));
  }

  /** Names of the tensors that two hashed checkpoints both have, with the same bytes. */
  equalTensors(aId: string, bId: string): string[] {
    const query = this.#db.sql
      .selectFrom('checkpointTensors as a')
      .innerJoin('checkpointTensors as b', (join) => join.onRef('b.name', '=', 'a.name').onRef('b.hash', '=', 'a.hash'))
      .select('a.name')
      .where('a.checkpointId', '=', aId)
      .where('b.checkpointId', '=', bId);
    return this.#db.all(query).map(({ name }) => name);
  }

  /** Checkpoints with some of the same tensors, by how many of this one's they hold; most first. */
  sharing(id: string, limit: number): { id: string; name: string; tensors: number }[] {
    const query = this.#db.sql
      .selectFrom('checkpointTensors as own')
      .innerJoin('checkpointTensors as other', 'other.hash', 'own.hash')
      .innerJoin('checkpoints', 'checkpoints.id', 'other.checkpointId')
      .select(({ fn }) => ['checkpoints.id', 'checkpoints.name', fn.count<number>('own.name').distinct().as('tensors')])
      .where('own.checkpointId', '=', id)
      .where('other.checkpointId', '!=', id)
      .where('checkpoints.deletedAtMs', 'is', null)
      .groupBy(['checkpoints.id', 'checkpoints.name'])
      .orderBy('tensors', 'desc')
      .orderBy('checkpoints.name')
      .limit(limit);
    return this.#db.all(query);
  }

  setDeleted(id: string, deletedAtMs: number | null): boolean {
    return this.#db.run(this.#db.sql.updateTable('checkpoints').set({ deletedAtMs }).where('id', '=', id)) === 1;
  }
}
