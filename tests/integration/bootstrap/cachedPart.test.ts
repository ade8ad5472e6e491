import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bootstrapFolder, installTiny, makeTinyWheel } from './tinyWheel.ts';
import type { TinyWheel } from './tinyWheel.ts';

let folder: string;
let cache: string;
let index: string;
let log: string;
let wheel: TinyWheel;
const library = (): string => join(cache, 'tiny-1.0', 'tiny', 'library.so');
const content = Buffer.from('library '.repeat(20000));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotascope-part-'));
  cache = join(folder, 'cache');
  index = join(folder, 'index');
  log = join(folder, 'log');
  wheel = makeTinyWheel(index);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A pid that belonged to a process which has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

function writeLock(pid: number, host = hostname()): void {
  const locks = join(cache, 'locks');
  cpSync(index, locks, { recursive: true }); // any content: the folder has to be there
  writeFileSync(join(locks, 'tiny-1.0.lock'), JSON.stringify({ pid, host, startedAt: null }));
}

test('of two starts at once one installs; the other waits, says so, and uses what was installed', async () => {
  const first = installTiny(wheel, { cache, index, env: { STEP_MS: '1500', LOG: log } });
  await first.until((message) => message.reached === 'unpacked');
  const second = installTiny(wheel, { cache, index, env: { LOG: log } });
  const outcomes = await Promise.all([first.ended, second.ended]);
  expect(outcomes.map((message) => message?.outcome)).toEqual(['made', 'found']);
  expect(second.messages[0]?.step).toBe(`Waiting for process ${first.process.pid}, which is installing tiny-1.0`);
  expect(readFileSync(library())).toEqual(content);
  expect(readFileSync(log, 'utf8').match(/enter/g)).toHaveLength(1);
});

test('a start that was killed in the middle is taken over by the next one', async () => {
  const killed = installTiny(wheel, { cache, index, env: { STEP_MS: '60000' } });
  await killed.until((message) => message.reached === 'unpacked');
  killed.process.kill('SIGKILL');
  await killed.ended;
  expect(existsSync(join(cache, 'tiny-1.0'))).toBe(false);
  expect(existsSync(join(cache, 'tiny-1.0.partial'))).toBe(true);
  expect(existsSync(join(cache, 'locks', 'tiny-1.0.lock'))).toBe(true);

  // What was downloaded is not downloaded again: there is no index any more.
  rmSync(index, { recursive: true });
  const next = installTiny(wheel, { cache, index });
  expect((await next.ended)?.outcome).toBe('made');
  expect(readFileSync(library())).toEqual(content);
  expect(readdirSync(cache).sort()).toEqual(['downloads', 'locks', 'tiny-1.0']);
  expect(readdirSync(join(cache, 'locks'))).toEqual([]);
});

test('several starts that find the lock of a dead process: never two of them install at once', async () => {
  writeLock(deadPid());
  const starts = Array.from({ length: 4 }, () =>
    installTiny(wheel, { cache, index, env: { STEP_MS: '200', LOG: log } }),
  );
  const outcomes = (await Promise.all(starts.map((start) => start.ended))).map((message) => message?.outcome);
  expect(outcomes.sort()).toEqual(['found', 'found', 'found', 'made']);
  expect(readFileSync(log, 'utf8')).toMatch(/^enter (\d+)\nleave \1\n$/);
});

test('the lock of a living process is respected, that of another process with its number is not', async () => {
  const held = installTiny(wheel, { cache, index, env: { STEP_MS: '60000' } });
  await held.until((message) => message.reached === 'unpacked');
  const lock = join(cache, 'locks', 'tiny-1.0.lock');
  const owner = JSON.parse(readFileSync(lock, 'utf8'));
  expect(owner).toMatchObject({ pid: held.process.pid, host: hostname() });
  const waits = installTiny(wheel, { cache, index });
  await waits.until((message) => message.step?.startsWith('Waiting') ?? false);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(waits.messages).toHaveLength(1);
  waits.process.kill('SIGKILL');
  held.process.kill('SIGKILL');
  await Promise.all([waits.ended, held.ended]);

  // This test's own process lives, but did not start when the lock says its owner did.
  writeFileSync(lock, JSON.stringify({ pid: process.pid, host: hostname(), startedAt: '1' }));
  expect((await installTiny(wheel, { cache, index }).ended)?.outcome).toBe('made');
});

test('a wheel with another hash is refused in words, deleted, and nothing of it is used', async () => {
  const start = installTiny({ ...wheel, sha256: '0'.repeat(64) }, { cache, index });
  const last = await start.ended;
  expect(last?.outcome).toBe('failed');
  expect(last?.reason).toContain(`its SHA-256 is ${wheel.sha256}, expected ${'0'.repeat(64)}. It was deleted`);
  expect(last?.nextStep).toContain('npm start');
  expect(existsSync(join(cache, 'tiny-1.0'))).toBe(false);
  expect(readdirSync(join(cache, 'downloads'))).toEqual([]);
});

test('a second clone uses what the first one installed, without pip', async () => {
  expect((await installTiny(wheel, { cache, index }).ended)?.outcome).toBe('made');
  const clone = join(folder, 'clone', 'main', 'bootstrap');
  cpSync(bootstrapFolder, clone, { recursive: true });
  const second = installTiny(wheel, { cache, index, bootstrap: clone, env: { PATH: folder } });
  expect((await second.ended)?.outcome).toBe('found');
});

test('a part that lost bytes is installed again', async () => {
  await installTiny(wheel, { cache, index }).ended;
  truncateSync(library(), 1000);
  expect((await installTiny(wheel, { cache, index }).ended)?.outcome).toBe('made');
  expect(readFileSync(library())).toEqual(content);
});
