/**
 * The SQLite file: opened carefully, migrated forwards, never overwritten. Kysely builds and types the SQL;
 * better-sqlite3 runs it synchronously, so that every change of the engine's state is one step of the event loop.
 */
import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { Compilable } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError } from '../contract/errors.ts';
import { migrations } from './migrations/index.ts';
import type { Schema } from './schema.ts';

/** "Rota": marks the file as ours in its header. */
const applicationId = 0x526f7461;

/** Of a copy, between two turns of the event loop: a few milliseconds. */
const pagesPerStep = 1000;

type Query<Row> = Compilable<Row>;

export class Database {
  /** Builds queries; run them with `all`, `first` and `run`. */
  readonly sql: Kysely<Schema>;
  readonly #sqlite: Sqlite.Database;
  readonly #statements = new Map<string, Sqlite.Statement<unknown[]>>();

  constructor(sqlite: Sqlite.Database) {
    this.#sqlite = sqlite;
    this.sql = new Kysely<Schema>({ dialect: new SqliteDialect({ database: sqlite }) });
  }

  #prepare(query: Query<unknown>): { statement: Sqlite.Statement<unknown[]>; parameters: readonly unknown[] } {
    const { sql, parameters } = query.compile();
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#sqlite.prepare<unknown[]>(sql);
      this.#statements.set(sql, statement);
    }
    return { statement, parameters };
  }

  all<Row>(query: Query<Row>): Row[] {
    const { statement, parameters } = this.#prepare(query);
    return statement.all(...parameters) as Row[];
  }

  first<Row>(query: Query<Row>): Row | undefined {
    const { statement, parameters } = this.#prepare(query);
    return statement.get(...parameters) as Row | undefined;
  }

  /** @returns the number of rows that changed */
  run(query: Query<unknown>): number {
    const { statement, parameters } = this.#prepare(query);
    return statement.run(...parameters).changes;
  }

  /** All or nothing; may be nested. */
  transaction<T>(body: () => T): T {
    return this.#sqlite.transaction(body)();
  }

  get bytes(): number {
    const value = (name: string): number => this.#sqlite.pragma(name, { simple: true }) as number;
    return value('page_count') * value('page_size');
  }

  /** SQLite's online backup, some pages a step; what is written meanwhile over this connection is in the copy too. */
  async copyTo(file: string): Promise<void> {
    await this.#sqlite.backup(file, { progress: () => pagesPerStep });
  }

  close(): void {
    this.#sqlite.close();
  }
}

function invalid(file: string, fact: string, hint: string, cause?: unknown): AppError {
  return new AppError('STORE_INVALID', `The database ${file} ${fact}`, { hint, details: { file }, cause });
}

const damagedHint = 'Move the file away and restore a backup, or start with another data folder (--data DIR).';

/** @throws STORE_INVALID the open file is damaged, not ours, or newer than this program */
function checkSchema(sqlite: Sqlite.Database, file: string): void {
  const count = "select count(*) as n from sqlite_schema where type = 'table'";
  const tables = sqlite.prepare(count).get() as { n: number };
  const id = sqlite.pragma('application_id', { simple: true });
  if (tables.n > 0 && id !== applicationId) throw invalid(file, 'was not written by Rotascope.', damagedHint);
  const check = sqlite.pragma('quick_check(1)', { simple: true });
  if (check !== 'ok') throw invalid(file, `is damaged: ${String(check)}.`, damagedHint);
  if (tables.n === 0) return;
  const applied = sqlite.prepare('select name from kysely_migration').all() as { name: string }[];
  const unknown = applied.filter(({ name }) => !(name in migrations)).map(({ name }) => name);
  if (unknown.length > 0)
    throw invalid(
      file,
      `was written by a newer version (it has ${unknown.join(', ')}).`,
      'Update Rotascope, or start with another data folder (--data DIR).',
    );
}

function checkOpened(file: string, readonly: boolean): void {
  const sqlite = new Sqlite(file, { readonly, fileMustExist: true });
  try {
    checkSchema(sqlite, file);
  } finally {
    sqlite.close();
  }
}

const needsRecovery = (error: unknown): boolean =>
  error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_READONLY');

/**
 * Reads only, so that a file that is not ours or is damaged stays as it is. After a crash SQLite has to roll its own
 * journal back or forward before anyone can read, and that writes: only then is the file opened for writing.
 */
function checkExisting(file: string): void {
  try {
    try {
      checkOpened(file, true);
    } catch (error) {
      if (!needsRecovery(error)) throw error;
      checkOpened(file, false);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw invalid(file, `is damaged: ${(error as Error).message}.`, damagedHint, error);
  }
}

/**
 * Opens or creates the database and brings it to the newest schema.
 * @throws STORE_INVALID when the file is damaged, not ours, or newer than this program; it is left untouched
 */
export async function openDatabase(file: string): Promise<Database> {
  if (existsSync(file)) checkExisting(file);
  const sqlite = new Sqlite(file);
  try {
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = NORMAL');
    sqlite.pragma('foreign_keys = ON');
    sqlite.pragma(`application_id = ${applicationId}`);
    const database = new Database(sqlite);
    const provider = { getMigrations: () => Promise.resolve(migrations) };
    const { error } = await new Migrator({ db: database.sql, provider }).migrateToLatest();
    if (error) throw error instanceof Error ? error : new Error('a migration failed', { cause: error });
    return database;
  } catch (error) {
    sqlite.close();
    throw invalid(file, `could not be opened: ${(error as Error).message}.`, 'Check the disk and the folder.', error);
  }
}
