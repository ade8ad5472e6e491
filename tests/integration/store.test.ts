/** The database file: made, migrated, and never overwritten when it is not what it should be. */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { expect, test } from 'vitest';
import type { AblationPoint } from '../../main/contract/studyResult.ts';
import { migrations } from '../../main/store/migrations/index.ts';
import { openStore } from '../../main/store/store.ts';
import { evaluationAt } from './kinds/testKinds.ts';
import { temporaryFolder } from './engineProcess.ts';

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

async function newDatabase(): Promise<string> {
  const file = join(await temporaryFolder(), 'rotascope.sqlite');
  const store = await openStore(file);
  store.app.setUiState({ page: 'home' });
  store.close();
  return file;
}

test('opens what it has written, with every migration, in WAL, foreign keys on', async () => {
  const file = await newDatabase();
  const store = await openStore(file);
  expect(store.app.uiState()).toEqual({ page: 'home' });
  const row = { kind: 'sft', title: 't', studyId: 'no such study', stageId: null, seed: 0, request: {} } as const;
  expect(() => store.jobs.insert({ ...row, id: 'a', createdAtMs: 0 })).toThrow(/FOREIGN KEY/);
  store.close();
  const database = new Sqlite(file, { readonly: true });
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
  const applied = database.prepare('select name from kysely_migration order by name').all() as { name: string }[];
  expect(applied.map(({ name }) => name)).toEqual(Object.keys(migrations));
  database.close();
});

test('a damaged database is refused and left as it is', async () => {
  const file = await newDatabase();
  const bytes = readFileSync(file);
  const wholes: [string, Buffer][] = [
    ['not a database', Buffer.from('This is not a database, and it is longer than one page header. '.repeat(20))],
    ['cut off', bytes.subarray(0, bytes.length - 4096 * 3)],
    ['overwritten inside', Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xa5)])],
  ];
  for (const [what, content] of wholes) {
    writeFileSync(file, content);
    const before = hashOf(file);
    await expect(openStore(file), what).rejects.toMatchObject({ code: 'STORE_INVALID', hint: /--data/ });
    expect(hashOf(file), what).toBe(before);
  }
});

test('a database whose writer was killed in the middle of a transaction is recovered and opened', async () => {
  const file = await newDatabase();
  // a rollback journal, as it is there while the first pages of a new database are written
  const writer = `
    const Sqlite = require('better-sqlite3');
    const database = new Sqlite(${JSON.stringify(file)});
    database.pragma('journal_mode = DELETE');
    database.pragma('cache_size = 1');
    database.exec('begin; create table filler (text)');
    const insert = database.prepare('insert into filler values (?)');
    for (let row = 0; row < 5000; row++) insert.run('x'.repeat(500));
    process.kill(process.pid, 'SIGKILL');`;
  expect(spawnSync(process.execPath, ['-e', writer], { cwd: import.meta.dirname }).signal).toBe('SIGKILL');
  expect(existsSync(`${file}-journal`)).toBe(true);
  const store = await openStore(file);
  expect(store.app.uiState()).toEqual({ page: 'home' });
  store.close();
});

test('a database of a newer version is refused and left as it is', async () => {
  const file = await newDatabase();
  const database = new Sqlite(file);
  database.prepare("insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2030')").run();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  const before = hashOf(file);
  await expect(openStore(file)).rejects.toMatchObject({ code: 'STORE_INVALID', message: /newer version.*9999/ });
  expect(hashOf(file)).toBe(before);
});

test("another program's database is refused and left as it is", async () => {
  const file = join(await temporaryFolder(), 'rotascope.sqlite');
  const database = new Sqlite(file);
  database.exec('create table notes (text text)');
  database.close();
  const before = hashOf(file);
  await expect(openStore(file)).rejects.toMatchObject({ code: 'STORE_INVALID', message: /not written by Rotascope/ });
  expect(hashOf(file)).toBe(before);
});

test('a transaction that fails leaves nothing behind', async () => {
  const store = await openStore(join(await temporaryFolder(), 'rotascope.sqlite'));
  const work = (): void =>
    store.transaction(() => {
      store.app.setUiState({ page: 'jobs' });
      throw new Error('no');
    });
  expect(work).toThrow('no');
  expect(store.app.uiState()).toEqual({});
  store.close();
});

test('a job settles once, whoever comes first', async () => {
  const store = await openStore(join(await temporaryFolder(), 'rotascope.sqlite'));
  const row = { kind: 'sft', title: 't', studyId: null, stageId: null, seed: 0, request: {} } as const;
  store.jobs.insert({ ...row, id: 'a', createdAtMs: 0 });
  expect(store.jobs.transition('a', ['queued'], 'running')).toBe(true);
  expect(store.jobs.transition('a', ['queued', 'running'], 'succeeded')).toBe(true);
  for (const state of ['cancelled', 'failed', 'interrupted'] as const)
    expect(store.jobs.transition('a', ['queued', 'running'], state)).toBe(false);
  expect(store.jobs.get('a')!.state).toBe('succeeded');
  expect(store.jobs.startAttempt('a', ['failed', 'cancelled', 'interrupted'], false)).toBe(false);
  store.close();
});

test('the same edit of two pairs of checkpoints is two points; measured again it is one', async () => {
  const store = await openStore(join(await temporaryFolder(), 'rotascope.sqlite'));
  const row = { kind: 'ablate', title: 't', studyId: null, stageId: null, seed: 0, request: {} } as const;
  store.jobs.insert({ ...row, id: 'a', createdAtMs: 0 });
  const point: Omit<AblationPoint, 'reference'> = {
    ...({ stage: 'sft', target: 'end', edit: 'interpolation', alpha: 0.5, changeNorm: 1, relativeChange: 1 } as const),
    ...{ orthogonalityDefect: 0, effectiveRank: 1, negativeSingularValues: 0, evaluation: evaluationAt(1) },
  };
  store.results.putAblation('a', 1, { ...point, reference: 'peak' });
  store.results.putAblation('a', 2, { ...point, reference: 'base' });
  store.results.putAblation('a', 3, { ...point, reference: 'peak', changeNorm: 2 });
  const stored = store.results.ablations('a').map(({ reference, changeNorm }) => [reference, changeNorm]);
  expect(stored).toEqual([
    ['base', 1],
    ['peak', 2],
  ]);
  store.close();
});

test('jobs of a database from before the queue had an order wait in the order in which they were made', async () => {
  const file = join(await temporaryFolder(), 'rotascope.sqlite');
  const sqlite = new Sqlite(file);
  const older = Object.entries(migrations).filter(([name]) => name < '0006');
  const provider = { getMigrations: () => Promise.resolve(Object.fromEntries(older)) };
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: sqlite }) });
  expect((await new Migrator({ db, provider }).migrateToLatest()).error).toBeUndefined();
  sqlite.pragma(`application_id = ${0x526f7461}`);
  const insert = sqlite.prepare(
    `insert into jobs (id, kind, title, state, requestJson, attempt, createdAtMs) values (?, 'sft', ?, 'queued', '{}', 1, ?)`,
  );
  for (const [id, title, createdAtMs] of [['x', 'third', 30], ['y', 'first', 10], ['z', 'second', 20]]) insert.run(id, title, createdAtMs); // prettier-ignore
  sqlite.close();
  const store = await openStore(file);
  const waiting = store.jobs.withState('queued');
  expect(waiting.map(({ title }) => title)).toEqual(['first', 'second', 'third']);
  expect(waiting.map(({ position, stopping, resumePoint }) => [position, stopping, resumePoint])).toEqual([
    [1, null, null],
    [2, null, null],
    [3, null, null],
  ]);
  store.jobs.insert({
    id: 'w',
    kind: 'sft',
    title: 'w',
    studyId: null,
    stageId: null,
    seed: null,
    request: {},
    createdAtMs: 5,
  });
  expect(store.jobs.withState('queued').at(-1)).toMatchObject({ title: 'w', position: 4 });
  expect(store.jobs.queuePaused()).toBe(false);
  store.close();
});
