/** The data folder at another place, through real engines and processes: renamed, copied to another disk, killed on the way. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import { lockDataFolder } from '../../main/api/engineFile.ts';
import { settleMove } from '../../main/api/dataFolder/settleMove.ts';
import { movedTo } from '../../main/bootstrap/folders.mjs';
import type { Job } from '../../main/contract/api.ts';
import { writeMoved, writeMoving } from '../../main/jobs/dataFolder/movedFolder.ts';
import { openStore } from '../../main/store/store.ts';
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

/** A folder on another disk than the temporary folders; null where there is none. */
function otherDisk(): string | null {
  const shared = '/dev/shm';
  if (!existsSync(shared) || statSync(shared).dev === statSync('/tmp').dev) return null;
  const folder = mkdtempSync(join(shared, 'rotascope-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
const hasOtherDisk = existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync('/tmp').dev;

interface Lab {
  data: string;
  engine: EngineUnderTest;
  client: EngineClient;
}

/** The sample study, and a checkpoint that was copied into the data folder. */
async function filledLab(): Promise<Lab> {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data);
  const client = await connect(engine.listening);
  await client.call('studies.openSample', {});
  await client.call('checkpoints.import', { paths: [join(fixtures, 'tiny-llama')], copy: true });
  await until(
    () => client.call('jobs.list', {}),
    (jobs) => jobs.every(({ state }) => state !== 'queued' && state !== 'running'),
  );
  return { data, engine, client };
}

const settled = (client: EngineClient, id: string): Promise<Job> =>
  until(
    () => client.call('jobs.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
  );

/** By the page's own call; the same process answers at the same port with the same token. */
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

/** What an engine keeps at the place and what moves. */
const ofThePlace = ['engine.lock', 'engine.lock-journal', 'engine.log', 'moved.json'];

async function expectWhole(client: EngineClient, folder: string): Promise<void> {
  expect((await client.call('app.state', {})).dataFolder).toBe(folder);
  expect(await client.call('studies.list', {})).toHaveLength(1);
  const checkpoints = await client.call('checkpoints.list', {});
  expect(checkpoints.length).toBeGreaterThan(1);
  for (const { id, folder: place } of checkpoints) {
    expect(place.startsWith(`${folder}/`)).toBe(true);
    expect((await client.call('checkpoints.verify', { id })).findings).toEqual([]);
  }
}

test('on the same disk: renamed at the restart, found by every later start, and back again', async () => {
  const lab = await filledLab();
  const to = join(await temporaryFolder(), 'new', 'place');
  const plan = await lab.client.call('move.look', { folder: to });
  expect(plan).toMatchObject({ from: lab.data, to, sameDisk: true });
  expect(await lab.client.call('move.start', { folder: to })).toEqual({ jobId: null });
  expect((await lab.client.call('data.prepared', {})).move).toEqual({ to });
  const client = await restart(lab);
  await expectWhole(client, to);
  expect(readdirSync(lab.data).filter((name) => !ofThePlace.includes(name))).toEqual([]);
  expect(movedTo(lab.data)).toBe(to);
  // The command line finds the engine from the old place; so does a start after it.
  const seen = spawnSync(process.execPath, [cliEntry, 'serve', '--json', '--no-open', '--data', lab.data], {
    env: testEnvironment(),
  });
  expect(JSON.parse(seen.stdout.toString())).toMatchObject({ existing: true, dataFolder: to });
  await client.call('move.start', { folder: lab.data });
  const back = await restart({ ...lab, client });
  await expectWhole(back, lab.data);
  expect([movedTo(lab.data), movedTo(to)]).toEqual([lab.data, lab.data]);
});

describe.runIf(hasOtherDisk)('to another disk', () => {
  test('copied by a job, compared, carried out at the restart; what changed meanwhile is there too', async () => {
    const lab = await filledLab();
    const to = join(otherDisk()!, 'data');
    expect(await lab.client.call('move.look', { folder: to })).toMatchObject({ sameDisk: false });
    const { jobId } = await lab.client.call('move.start', { folder: to });
    expect(await settled(lab.client, jobId!)).toMatchObject({ state: 'succeeded', error: null });
    await until(
      () => lab.client.call('data.prepared', {}),
      ({ move }) => move?.to === to,
    );
    // Until the restart the copy is no data folder.
    await expect(settleMove(to)).rejects.toMatchObject({ code: 'ENGINE_LOCKED' });
    const { id, folder } = (await lab.client.call('checkpoints.list', {}))[0]!;
    await lab.client.call('checkpoints.update', { ids: [id], patch: { name: 'named later' } });
    writeFileSync(join(folder, 'notes.txt'), 'written later');
    const [gone] = readdirSync(join(lab.data, 'jobs'));
    expect(existsSync(join(to, 'jobs', gone!))).toBe(true);
    rmSync(join(lab.data, 'jobs', gone!), { recursive: true });
    const client = await restart(lab);
    expect((await client.call('checkpoints.get', { id })).name).toBe('named later');
    expect(readFileSync(join((await client.call('checkpoints.get', { id })).folder, 'notes.txt'), 'utf8')).toBe(
      'written later',
    );
    rmSync(join((await client.call('checkpoints.get', { id })).folder, 'notes.txt'));
    expect(existsSync(join(to, 'jobs', gone!))).toBe(false);
    await expectWhole(client, to);
    expect(readdirSync(lab.data).filter((name) => !ofThePlace.includes(name))).toEqual([]);
    expect(existsSync(join(to, 'moving.json'))).toBe(false);
  });

  test('a copy that is cancelled leaves the old place as it was and the new one empty', async () => {
    const lab = await filledLab();
    const big = join(lab.data, 'checkpoints', 'big');
    mkdirSync(big);
    writeFileSync(join(big, 'model.safetensors'), Buffer.alloc(700_000_000));
    const above = otherDisk()!;
    const to = join(above, 'data');
    const { jobId } = await lab.client.call('move.start', { folder: to });
    await until(
      () => readdirSync(to),
      (names) => names.includes('checkpoints'),
    );
    await expect(settleMove(to)).rejects.toMatchObject({ code: 'CONFLICT', message: /not whole/ });
    await lab.client.call('jobs.cancel', { id: jobId! });
    expect((await settled(lab.client, jobId!)).state).toBe('cancelled');
    await until(
      () => readdirSync(above),
      (names) => names.length === 0,
    );
    rmSync(big, { recursive: true });
    await expectWhole(lab.client, lab.data);
  });
});

test('a place that cannot be is refused with its reason, and nothing is written', async () => {
  const lab = await filledLab();
  const refusal = (folder: string): Promise<string> =>
    lab.client.call('move.start', { folder }).then(
      () => 'accepted',
      (error: { message: string }) => error.message,
    );
  const other = await temporaryFolder();
  writeFileSync(join(other, 'mine.txt'), 'mine');
  expect(await refusal('place')).toContain('not a whole path');
  expect(await refusal(lab.data)).toContain('lie in each other');
  expect(await refusal(join(lab.data, 'deeper'))).toContain('lie in each other');
  expect(await refusal(join(lab.data, '..'))).toContain('lie in each other');
  expect(await refusal(other)).toContain('holds something: mine.txt');
  expect(await refusal(join(other, 'mine.txt', 'x'))).toContain('is not a folder');
  const database = new Sqlite(join(lab.data, 'rotascope.sqlite'));
  const [job] = await lab.client.call('jobs.list', {});
  database.prepare("update jobs set state = 'running' where id = ?").run(job!.id);
  expect(await refusal(join(other, 'new'))).toContain('is under way');
  database.prepare("update jobs set state = 'succeeded' where id = ?").run(job!.id);
  database.close();
  expect(await refusal(join(other, 'new'))).toBe('accepted');
  expect(await refusal(join(other, 'newer'))).toContain('waits for a restart');
  await lab.client.call('data.discard', {});
  expect((await lab.client.call('data.prepared', {})).move).toBe(null);
  expect(readdirSync(other)).toEqual(['mine.txt']);
});

test('data on a disk that is not there are said to be there, and no empty lab is made', async () => {
  const from = await temporaryFolder();
  const gone = join(await temporaryFolder(), 'disk', 'data');
  await writeMoved(from, { to: gone, done: true });
  await expect(settleMove(from)).rejects.toMatchObject({ code: 'NOT_FOUND', message: /not there/, hint: /Attach/ });
  expect(existsSync(gone)).toBe(false);
  expect(movedTo(from)).toBe(from);
});

test('a place that cannot take the database gives everything back', async () => {
  const from = await temporaryFolder();
  (await openStore(join(from, 'rotascope.sqlite'))).close();
  mkdirSync(join(from, 'jobs', 'one'), { recursive: true });
  const to = join(await temporaryFolder(), 'data');
  // What is not a database any more when it is opened there.
  writeFileSync(join(from, 'rotascope.sqlite'), 'damaged '.repeat(2000));
  await writeMoved(from, { to, done: false });
  const { folder, notMoved } = await settleMove(from);
  expect([folder, notMoved]).toEqual([from, expect.stringMatching(/were not moved.*damaged/)]);
  expect(readdirSync(from).sort()).toEqual(['engine.lock', 'jobs', 'rotascope.sqlite']);
  expect(readdirSync(to)).toEqual([]);
});

/** Settles a move in a process of its own, killed at its n-th step. @returns steps of a whole one, null when killed */
function settle(folder: string, killAt: number): number | null {
  const module = new URL('../../main/api/dataFolder/settleMove.ts', import.meta.url).href;
  const code = `
    const { settleMove } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify(await settleMove(${JSON.stringify(folder)})));`;
  const ended = spawnSync(process.execPath, ['--import', killAtRename, '--input-type=module', '-e', code], {
    env: { ...process.env, ROTASCOPE_KILL_AT: String(killAt) },
  });
  const errors = ended.stderr.toString();
  if (ended.signal !== null) return null;
  expect(ended.status, errors).toBe(0);
  expect(JSON.parse(ended.stdout.toString())).toMatchObject({ notMoved: null });
  return Number(/steps (\d+)/.exec(errors)![1]);
}

/** Small, with a database that knows a path below it. */
async function smallData(): Promise<string> {
  const data = await temporaryFolder();
  const store = await openStore(join(data, 'rotascope.sqlite'));
  store.settleIn(data);
  store.app.addNotice(join(data, 'studies', 'one'));
  store.close();
  for (const name of ['studies/one/model.safetensors', 'jobs/one/worker.log', 'replaced/then/jobs/x', 'engine.json']) {
    mkdirSync(join(data, name, '..'), { recursive: true });
    writeFileSync(join(data, name), `content of ${name}`);
  }
  return data;
}

async function expectMoved(from: string, to: string): Promise<void> {
  const names = ['studies/one/model.safetensors', 'jobs/one/worker.log', 'replaced/then/jobs/x', 'engine.json'];
  for (const name of names) expect(readFileSync(join(to, name), 'utf8')).toBe(`content of ${name}`);
  expect(readdirSync(from).filter((name) => !ofThePlace.includes(name))).toEqual([]);
  expect(existsSync(join(to, 'moving.json'))).toBe(false);
  expect(movedTo(from)).toBe(to);
  const store = await openStore(join(to, 'rotascope.sqlite'));
  expect(store.app.notices().map(({ text }) => text)).toEqual([join(to, 'studies', 'one')]);
  store.close();
}

test.each(['the same disk', ...(hasOtherDisk ? ['another disk'] : [])])(
  'killed at any step on the way to %s, the next start, of either place, goes on',
  { timeout: 120_000 },
  async (disk) => {
    const place = async (): Promise<string> => (disk === 'another disk' ? otherDisk()! : temporaryFolder());
    const source = await smallData();
    let steps = Infinity;
    for (let killAt = Infinity; killAt === Infinity || killAt <= steps; killAt++) {
      const from = await temporaryFolder();
      cpSync(source, from, { recursive: true, preserveTimestamps: true });
      const to = join(await place(), 'data');
      const before = await openStore(join(from, 'rotascope.sqlite'));
      before.settleIn(from);
      before.close();
      await writeMoved(from, { to, done: false });
      const whole = settle(from, killAt);
      if (whole !== null) {
        expect(killAt).toBe(Infinity);
        [steps, killAt] = [whole, 0];
      } else settle(killAt % 2 === 0 || !existsSync(join(to, 'moving.json')) ? from : to, Infinity);
      await expectMoved(from, to);
    }
    expect(steps).toBeGreaterThan(6);
  },
);

test('an engine that runs in the old place is left alone by a start in the new one', async () => {
  const from = await smallData();
  const to = await temporaryFolder();
  const lock = lockDataFolder(from);
  await writeMoved(from, { to, done: false });
  await writeMoving(to, from);
  await expect(settleMove(to)).rejects.toMatchObject({ code: 'ENGINE_LOCKED' });
  lock.release();
  expect(await settleMove(to)).toEqual({ folder: to, notMoved: null });
});

test('the command line moves the data, without an engine and beside one', async () => {
  const data = await smallData();
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cliEntry, ...args], { env: testEnvironment() });
    return { status, text: stdout.toString(), errors: stderr.toString() };
  };
  const to = join(await temporaryFolder(), 'data');
  const moved = run('move-data', to, '--data', data);
  expect(moved.status, moved.errors).toBe(0);
  expect(moved.text).toContain(`The data are in ${to}`);
  const engine = await startEngineProcess(data);
  expect(engine.listening.dataFolder).toBe(to);
  const further = join(await temporaryFolder(), 'data');
  const beside = run('move-data', further, '--data', data, '--json');
  expect(beside.status, beside.errors).toBe(0);
  expect(JSON.parse(beside.text.trim().split('\n').at(-1)!)).toMatchObject({ type: 'moved', waits: true });
});
