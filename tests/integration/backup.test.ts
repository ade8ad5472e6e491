/** Backup and restore through real engines, workers and files: what comes back, what is refused, what a kill leaves. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buffer } from 'node:stream/consumers';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { Job, Study } from '../../main/contract/api.ts';
import { manifestName, type Manifest } from '../../main/jobs/dataFolder/backupFormat.ts';
import { openBackup } from '../../main/jobs/dataFolder/readBackup.ts';
import { knownSchema, openStore } from '../../main/store/store.ts';
import {
  cliEntry,
  connect,
  startEngineProcess,
  temporaryFolder,
  testEnvironment,
  until,
  type EngineUnderTest,
} from './engineProcess.ts';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const killAtRename = fileURLToPath(new URL('./killAtRename.mjs', import.meta.url));

interface Lab {
  data: string;
  engine: EngineUnderTest;
  client: EngineClient;
}

async function openLab(data?: string): Promise<Lab> {
  const folder = data ?? (await temporaryFolder());
  const engine = await startEngineProcess(folder);
  return { data: folder, engine, client: await connect(engine.listening) };
}

/** The sample study, a run's note, settings, a copied checkpoint: something of everything. */
async function filledLab(): Promise<Lab & { study: Study }> {
  const lab = await openLab();
  const study = await lab.client.call('studies.openSample', {});
  await lab.client.call('checkpoints.import', { paths: [join(fixtures, 'tiny-llama')], copy: true });
  await lab.client.call('app.setSettings', { jobsSideBySide: 2, decompositionCacheGB: 1 });
  const [run] = await lab.client.call('runs.list', { trash: false });
  await lab.client.call('runs.update', { ids: [run!.id], note: 'kept', addTags: ['a'], removeTags: [] });
  await until(
    () => lab.client.call('jobs.list', {}),
    (jobs) => jobs.every(({ state }) => state !== 'queued' && state !== 'running'),
  );
  return { ...lab, study };
}

const settled = (client: EngineClient, id: string): Promise<Job> =>
  until(
    () => client.call('jobs.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
  );

async function backUp({ client }: Lab, path: string, withHeavy: boolean): Promise<Job> {
  const { jobId } = await client.call('backup.start', { path, withHeavy });
  return settled(client, jobId);
}

/** Through the page's own calls, to the engine that is there afterwards. */
async function restore(lab: Lab, path: string): Promise<EngineClient> {
  const { jobId } = await lab.client.call('restore.start', { path });
  expect(await settled(lab.client, jobId)).toMatchObject({ state: 'succeeded', error: null });
  expect((await lab.client.call('data.prepared', {})).restore?.path).toBe(path);
  return restart(lab);
}

async function restart({ client, engine }: Lab): Promise<EngineClient> {
  const { engineId } = client;
  await client.call('app.restart', {});
  await client.closed;
  const again = await until(
    () => connect(engine.listening).catch(() => null),
    (next) => next !== null && next.engineId !== engineId,
  );
  expect(engine.process.exitCode).toBe(null);
  return again!;
}

/** Content of every file below a folder by its name. */
function contentsOf(folder: string, below = ''): Record<string, string> {
  return Object.assign(
    {},
    ...readdirSync(join(folder, below), { withFileTypes: true }).map((entry) => {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) return contentsOf(folder, name);
      return {
        [name]: createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      };
    }),
  ) as Record<string, string>;
}

test('a whole backup comes back on another machine: studies, notes, settings, and checkpoints that verify', async () => {
  const from = await filledLab();
  const file = join(await temporaryFolder(), 'lab.zip');
  const job = await backUp(from, file, true);
  expect(job, JSON.stringify(job.error)).toMatchObject({ state: 'succeeded' });
  expect(existsSync(`${file}.partial`)).toBe(false);
  expect(readdirSync(join(from.data, 'outgoing'))).toEqual([]);

  const to = await openLab();
  const other = await to.client.call('studies.openSample', {});
  const contents = await to.client.call('backup.look', { path: file });
  expect(contents).toMatchObject({ path: file, studies: 1, leftOut: { bytes: 0, files: 0 } });
  expect(contents.runs).toBeGreaterThan(0);
  const client = await restore(to, file);

  const studies = await client.call('studies.list', {});
  expect(studies.map(({ id }) => id)).toEqual([from.study.id]);
  expect(await client.call('studies.result', { id: from.study.id })).toEqual(
    await from.client.call('studies.result', { id: from.study.id }),
  );
  expect(await client.call('app.settings', {})).toEqual({ jobsSideBySide: 2, decompositionCacheGB: 1 });
  expect((await client.call('runs.list', { trash: false })).filter(({ note }) => note === 'kept')).toHaveLength(1);
  const checkpoints = await client.call('checkpoints.list', {});
  expect(checkpoints.length).toBeGreaterThan(1);
  for (const { id, folder, missing } of checkpoints) {
    expect([missing, folder.startsWith(to.data)]).toEqual([false, true]);
    const { findings } = await client.call('checkpoints.verify', { id });
    expect(findings).toEqual([]);
  }
  const { notices } = await client.call('app.state', {});
  expect(notices.map(({ text }) => text).join()).toContain('are kept in');
  // What was there is whole where the notice says, and opens as a data folder of its own.
  const [kept] = readdirSync(join(to.data, 'replaced'));
  const before = await openLab(join(to.data, 'replaced', kept!));
  const [found] = await before.client.call('studies.list', {});
  expect(found!.id).toBe(other.id);
  const { missing } = (await before.client.call('checkpoints.list', {}))[0]!;
  expect(missing).toBe(false);
  const { freedBytes } = await client.call('data.removeReplaced', {});
  expect(freedBytes).toBeGreaterThan(0);
});

test('a backup without weights, restored where they still are, takes them over', { timeout: 120_000 }, async () => {
  const lab = await filledLab();
  const file = join(await temporaryFolder(), 'light.zip');
  await backUp(lab, file, false);
  const sizes = await lab.client.call('backup.sizes', {});
  const look = await lab.client.call('backup.look', { path: file });
  expect(look.leftOut).toEqual(sizes.heavy);
  expect(look.bytes).toBeLessThan(sizes.light.bytes);
  const { id } = (await lab.client.call('checkpoints.list', {})).find(({ copied }) => copied)!;
  await lab.client.call('studies.remove', { id: lab.study.id });
  const client = await restore(lab, file);
  expect(await client.call('studies.list', {})).toHaveLength(1);
  for (const checkpoint of await client.call('checkpoints.list', {})) {
    const { findings } = await client.call('checkpoints.verify', { id: checkpoint.id, content: checkpoint.id === id });
    expect(findings, checkpoint.folder).toEqual([]);
  }
});

test('jobs run on while a backup is made; in it they are interrupted and wait for the user', async () => {
  const lab = await openLab();
  const { jobId } = await lab.client.call('app.selfTest', {});
  // The test's self-test counts its steps; it is as good as a training run here.
  await until(
    () => lab.client.call('jobs.get', { id: jobId }),
    ({ state }) => state !== 'queued',
  );
  const database = new Sqlite(join(lab.data, 'rotascope.sqlite'));
  database.prepare("update jobs set state = 'running' where id = ?").run(jobId);
  const file = join(await temporaryFolder(), 'busy.zip');
  expect(await backUp(lab, file, false)).toMatchObject({ state: 'succeeded' });
  database.prepare("update jobs set state = 'failed' where id = ?").run(jobId);
  database.close();
  const client = await restore(lab, file);
  const jobs = await client.call('jobs.list', {});
  expect(jobs.find(({ id }) => id === jobId)).toMatchObject({ state: 'interrupted', error: { code: 'INTERRUPTED' } });
});

test('a place that cannot be is refused before anything is written', async () => {
  const lab = await openLab();
  const start = (path: string) => lab.client.call('backup.start', { path });
  const outside = await temporaryFolder();
  await expect(start(join(lab.data, 'lab.zip'))).rejects.toThrow(/lies in the data folder/);
  await expect(start('lab.zip')).rejects.toThrow(/not a whole path/);
  await expect(start(outside)).rejects.toThrow(/is a folder/);
  await expect(start(join(outside, 'no', 'lab.zip'))).rejects.toThrow(/There is no folder/);
  writeFileSync(join(outside, 'lab.zip'), 'mine');
  await expect(start(join(outside, 'lab.zip'))).rejects.toThrow(/is there already/);
  expect(readFileSync(join(outside, 'lab.zip'), 'utf8')).toBe('mine');
});

test('weights that do not fit on the disk of the backup are said before it is written', async () => {
  const lab = await openLab();
  const folder = join(lab.data, 'checkpoints', 'huge');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.safetensors'), '');
  // Sparse: it takes nothing.
  truncateSync(join(folder, 'model.safetensors'), 8e12);
  const outside = await temporaryFolder();
  const job = await backUp(lab, join(outside, 'lab.zip'), true);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL', message: /MB are missing/ } });
  expect(readdirSync(outside)).toEqual([]);
});

/** A small backup with everything as `change` leaves it. */
async function madeBackup(
  change: (manifest: Manifest, contents: Map<string, { data: Buffer; mode?: number }>) => void = () => undefined,
): Promise<string> {
  const folder = await temporaryFolder();
  const database = join(folder, 'rotascope.sqlite');
  (await openStore(database)).close();
  const contents = new Map<string, { data: Buffer; mode?: number }>([
    ['rotascope.sqlite', { data: readFileSync(database) }],
    ['jobs/one/worker.log', { data: Buffer.from('a line\n'.repeat(1000)) }],
  ]);
  const manifest: Manifest = {
    ...{ format: 'rotascope-backup', version: 1, rotascope: '0.1.0', madeAtMs: Date.now() },
    ...{ schema: [...knownSchema], studies: 0, runs: 0, checkpoints: 0, leftOut: [] },
    files: [...contents].map(([name, { data }]) => ({
      ...{ name, bytes: data.length, mtimeMs: 1_700_000_000_000 },
      sha256: createHash('sha256').update(data).digest('hex'),
    })),
  };
  change(manifest, contents);
  const zip = new ZipFile();
  for (const [name, { data, mode }] of contents) zip.addBuffer(data, name, { compress: true, mode: mode ?? 0o100600 });
  zip.addBuffer(Buffer.from(JSON.stringify(manifest)), manifestName);
  zip.end();
  const file = join(folder, 'made.zip');
  await writeFile(file, await buffer(zip.outputStream as NodeJS.ReadableStream & AsyncIterable<Buffer>));
  return file;
}

/** Other bytes of the same length, wherever they stand. */
function patch(file: string, from: string, to: string): void {
  const bytes = readFileSync(file);
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at, 'latin1');
  writeFileSync(file, bytes);
}

/** Sizes in the zip's directory as an attacker would write them. */
function claimSizes(file: string, bytes: number): void {
  const content = readFileSync(file);
  for (
    let at = content.indexOf('PK\x01\x02', 0, 'latin1');
    at >= 0;
    at = content.indexOf('PK\x01\x02', at + 4, 'latin1')
  )
    if (content.toString('latin1', at + 46, at + 46 + 4) === 'jobs') content.writeUInt32LE(bytes, at + 24);
  writeFileSync(file, content);
}

test('what is not a sound backup is refused with its reason, and leaves nothing behind', async () => {
  const lab = await openLab();
  const before = readdirSync(lab.data).sort();
  const refusal = async (file: string): Promise<string> => {
    const error = await lab.client.call('restore.start', { path: file }).then(
      () => null,
      (reason: { code: string; message: string; hint?: string }) => reason,
    );
    expect(error?.code).toBe('STORE_INVALID');
    expect(error!.hint).toMatch(/\.$/);
    return error!.message;
  };
  expect((await lab.client.call('backup.look', { path: await madeBackup() })).unpacked.files).toBe(2);
  const evil = 'jobs/one/worker.log';
  for (const name of [
    '../../one/worker.lo',
    '/obs/one/worker.log',
    'jobs/one/../orker.l',
    'jobs\\one\\worker.log',
    'C:/s/one/worker.log',
    'else/one/worker.log',
    'rotascope.sqlite/x.',
  ]) {
    const file = await madeBackup();
    patch(file, evil, name.padEnd(evil.length, 'g'));
    expect(await refusal(file), name).toMatch(/no place in it|invalid|absolute|relative/);
  }
  const link = await madeBackup((_manifest, contents) => {
    contents.get(evil)!.mode = 0o120777;
  });
  expect(await refusal(link)).toContain('not an ordinary file');
  const newer = await madeBackup((manifest) => manifest.schema.push('9999-from-the-future'));
  expect(await refusal(newer)).toContain('newer version (its database has 9999-from-the-future)');
  const format = await madeBackup((manifest) => Object.assign(manifest, { version: 2 }));
  expect(await refusal(format)).toContain('newer version');
  const extra = await madeBackup((_manifest, contents) => contents.set('jobs/more', { data: Buffer.from('x') }));
  expect(await refusal(extra)).toContain('does not name');
  const missing = await madeBackup((_manifest, contents) => contents.delete(evil));
  expect(await refusal(missing)).toMatch(/does not name|not in it/);
  const clash = await madeBackup((manifest, contents) => {
    contents.set('jobs/ONE', { data: Buffer.from('x') });
    manifest.files.push({ ...manifest.files[1]!, name: 'jobs/ONE' });
  });
  expect(await refusal(clash)).toContain('in the way');
  const cut = await madeBackup();
  truncateSync(cut, statSync(cut).size - 30);
  expect(await refusal(cut)).toContain('not a whole zip file');
  const noZip = join(await temporaryFolder(), 'text.zip');
  writeFileSync(noZip, 'no zip '.repeat(100));
  expect(await refusal(noZip)).toContain('not a whole zip file');
  expect(await refusal(await temporaryFolder())).toContain('not a file');
  expect(readdirSync(lab.data).sort()).toEqual(before);
});

test('a damaged file, a false size and a full disk stop the unpacking; the data stay', async () => {
  const lab = await openLab();
  const failure = async (path: string): Promise<Job['error']> => {
    const { jobId } = await lab.client.call('restore.start', { path });
    const job = await settled(lab.client, jobId);
    expect(job.state).toBe('failed');
    expect(existsSync(join(lab.data, 'incoming.partial'))).toBe(false);
    expect((await lab.client.call('data.prepared', {})).restore).toBe(null);
    return job.error;
  };
  const other = await madeBackup((manifest) => {
    manifest.files[1]!.sha256 = 'a'.repeat(64);
  });
  expect(await failure(other)).toMatchObject({ code: 'STORE_INVALID', message: /worker.log is damaged/ });
  const flipped = await madeBackup();
  const bytes = readFileSync(flipped);
  bytes[Math.floor(bytes.length / 4)]! ^= 0xff;
  writeFileSync(flipped, bytes);
  expect(await failure(flipped)).toMatchObject({ code: 'STORE_INVALID', message: /is damaged/ });
  // A thousand small files that say that they are 4 GB each: refused before the first is unpacked.
  const bomb = await madeBackup((manifest, contents) => {
    for (let index = 0; index < 1000; index++) {
      const name = `jobs/bomb/${index}`;
      contents.set(name, { data: Buffer.alloc(100) });
      manifest.files.push({ ...manifest.files[1]!, name });
    }
    for (const file of manifest.files) if (file.name.startsWith('jobs')) file.bytes = 4e9;
  });
  claimSizes(bomb, 4e9);
  expect(await failure(bomb)).toMatchObject({ code: 'DISK_FULL' });
  const liar = await madeBackup((manifest) => {
    manifest.files[1]!.bytes = 10;
  });
  claimSizes(liar, 10);
  expect(await failure(liar)).toMatchObject({ code: 'STORE_INVALID', message: /worker.log is damaged/ });
});

test('a database that lies about its schema is not put in place', async () => {
  const lab = await openLab();
  await lab.client.call('app.setUiState', { mine: 1 });
  const file = await madeBackup((manifest, contents) => {
    const name = 'rotascope.sqlite';
    // In memory there is no WAL: SQLite's header says which journal it is read with.
    const readable = Buffer.from(contents.get(name)!.data).fill(1, 18, 20);
    const database = new Sqlite(readable);
    database.prepare("insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2030')").run();
    const data = database.serialize();
    database.close();
    contents.set(name, { data });
    const sha256 = createHash('sha256').update(data).digest('hex');
    manifest.files[0] = { ...manifest.files[0]!, bytes: data.length, sha256 };
  });
  const client = await restore(lab, file);
  expect(await client.call('app.getUiState', {})).toMatchObject({ mine: 1 });
  const { notices } = await client.call('app.state', {});
  expect(notices.at(-1)!.text).toMatch(/not restored; the data are as they were.*newer version/);
  expect(existsSync(join(lab.data, 'incoming'))).toBe(false);
});

test('a restore that is discarded changes nothing', async () => {
  const lab = await openLab();
  const { jobId } = await lab.client.call('restore.start', { path: await madeBackup() });
  await settled(lab.client, jobId);
  await lab.client.call('data.discard', {});
  expect((await lab.client.call('data.prepared', {})).restore).toBe(null);
  await lab.client.call('app.setUiState', { mine: 1 });
  const client = await restart(lab);
  expect(await client.call('app.getUiState', {})).toMatchObject({ mine: 1 });
});

/** Puts a prepared restore in place in a process of its own, killed at its n-th step. @returns the steps of a whole one, or null */
function apply(data: string, killAt: number): number | null {
  const module = new URL('../../main/api/dataFolder/applyRestore.ts', import.meta.url).href;
  const code = `
    const { applyRestore } = await import(${JSON.stringify(module)});
    console.log(await applyRestore(${JSON.stringify(data)}));`;
  const ended = spawnSync(process.execPath, ['--import', killAtRename, '--input-type=module', '-e', code], {
    env: { ...process.env, ROTASCOPE_KILL_AT: String(killAt) },
  });
  const errors = ended.stderr.toString();
  if (ended.signal !== null) return null;
  expect([ended.status, ended.stdout.toString()], errors).toEqual([0, 'null\n']);
  return Number(/steps (\d+)/.exec(errors)![1]);
}

/** All where files change their places; of the many alike in between, some. */
const killsOf = (steps: number): number[] =>
  Array.from({ length: steps }, (_, index) => index + 1).filter(
    (step) => step <= 8 || step > steps - 6 || step % 10 === 0,
  );

test('killed at any step, the next start goes on: nothing of either side is lost', { timeout: 120_000 }, async () => {
  const lab = await filledLab();
  const file = join(await temporaryFolder(), 'light.zip');
  await backUp(lab, file, false);
  const { jobId } = await lab.client.call('restore.start', { path: file });
  await settled(lab.client, jobId);
  lab.engine.process.kill('SIGTERM');
  await lab.engine.ended;
  const before = contentsOf(lab.data);
  const incoming = Object.keys(before).filter((name) => name.startsWith('incoming/'));
  const own = Object.keys(before).filter((name) => /^(rotascope\.sqlite|jobs|studies|checkpoints)/.test(name));
  expect(own.length).toBeGreaterThan(10);
  const copy = async (): Promise<string> => {
    const data = join(await temporaryFolder(), 'data');
    cpSync(lab.data, data, { recursive: true, preserveTimestamps: true });
    return data;
  };
  const steps = apply(await copy(), Infinity)!;
  expect(steps).toBeGreaterThan(15);
  for (const killAt of killsOf(steps)) {
    const data = await copy();
    expect(apply(data, killAt)).toBe(null);
    apply(data, Infinity);
    const after = contentsOf(data);
    const places = readdirSync(join(data, 'replaced'));
    expect(places).toHaveLength(1);
    for (const name of own)
      expect(after[`replaced/${places[0]}/${name}`], `${name}, killed at ${killAt}`).toBe(before[name]);
    for (const name of incoming) {
      const place = name.slice('incoming/'.length);
      // The database was made ready; its content is looked at below.
      if (!/^(restore\.json|rotascope\.sqlite)/.test(place)) expect(after[place]).toBe(before[name]);
    }
    // Weights that the backup left out were taken over.
    for (const name of own.filter((one) => one.endsWith('.safetensors'))) expect(after[name]).toBe(before[name]);
    expect(existsSync(join(data, 'incoming'))).toBe(false);
    const store = await openStore(join(data, 'rotascope.sqlite'));
    expect(store.studies.list()).toHaveLength(1);
    store.close();
    rmSync(data, { recursive: true });
  }
});

test('a backup that is cancelled leaves neither a file nor a copy of the database', async () => {
  const lab = await openLab();
  const folder = join(lab.data, 'jobs', 'large');
  mkdirSync(folder, { recursive: true });
  // A second to compress, at least.
  writeFileSync(join(folder, 'events.jsonl'), Buffer.alloc(400_000_000, 'some text '));
  const outside = await temporaryFolder();
  const { jobId } = await lab.client.call('backup.start', { path: join(outside, 'lab.zip') });
  await until(
    () => readdirSync(outside),
    (names) => names.length > 0,
  );
  await lab.client.call('jobs.cancel', { id: jobId });
  expect(await settled(lab.client, jobId)).toMatchObject({ state: 'cancelled' });
  expect(readdirSync(outside)).toEqual([]);
  await until(
    () => readdirSync(join(lab.data, 'outgoing')),
    (names) => names.length === 0,
  );
});

test('a manifest names every file as it is', async () => {
  const backup = await openBackup(await madeBackup(), knownSchema);
  expect([...backup.entries.keys()].sort()).toEqual(['jobs/one/worker.log', manifestName, 'rotascope.sqlite']);
  backup.close();
  await expect(openBackup('/nowhere.zip', knownSchema)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('the command line backs up and restores, without an engine and beside one', async () => {
  const lab = await filledLab();
  const folder = await temporaryFolder();
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cliEntry, ...args], { env: testEnvironment() });
    return { status, text: stdout.toString(), errors: stderr.toString() };
  };
  const file = join(folder, 'lab.zip');
  const made = run('backup', file, '--with-checkpoints', '--data', lab.data);
  expect(made.status, made.errors).toBe(0);
  expect(made.text).toMatch(/1 studies, \d+ runs/);
  expect(run('backup', file, '--data', lab.data)).toMatchObject({ status: 1, errors: /is there already/ });
  const elsewhere = await temporaryFolder();
  const restored = run('restore', file, '--data', elsewhere);
  expect(restored.status, restored.errors).toBe(0);
  expect(restored.text).toMatch(/was restored\. The data that it replaced are kept in/);
  const beside = run('restore', file, '--data', lab.data, '--json');
  expect(beside.status, beside.errors).toBe(0);
  expect(JSON.parse(beside.text.trim().split('\n').at(-1)!)).toMatchObject({ type: 'restored', waits: true });
  expect(run('restore', join(folder, 'none.zip'), '--data', elsewhere)).toMatchObject({
    status: 1,
    errors: /not there/,
  });
  const { client } = await openLab(elsewhere);
  expect((await client.call('studies.list', {})).map(({ id }) => id)).toEqual([lab.study.id]);
});
