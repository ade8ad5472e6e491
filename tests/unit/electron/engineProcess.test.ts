import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { Listening } from '../../../main/contract/wire.ts';
import { EngineProcess } from '../../../electron/engineProcess.ts';
import type { EngineFailure } from '../../../electron/engineProcess.ts';

const standIn = fileURLToPath(new URL('standInEngine.mjs', import.meta.url));

/** A supervised stand-in, and everything its listeners heard, to be awaited one by one. */
function supervise(...behaviour: string[]) {
  const heard: ['ready', Listening, boolean][] | unknown[][] = [];
  let wake = (): void => undefined;
  const hear = (...what: unknown[]): void => {
    heard.push(what as never);
    wake();
  };
  const engine = new EngineProcess(
    { executable: process.execPath, arguments: [standIn, ...behaviour], folder: '/', environment: process.env },
    {
      onReady: (listening, restarted) => hear('ready', listening, restarted),
      onLost: (reason) => hear('lost', reason),
      onFailed: (failure) => hear('failed', failure),
    },
  );
  const next = async (): Promise<unknown[]> => {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return heard.shift() as unknown[];
  };
  running.push(engine);
  return { engine, next, heard };
}

const running: EngineProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((engine) => engine.stop()));
});

test('is ready at the line that says where it listens, and not before', async () => {
  const { engine, next } = supervise('serve');
  engine.start();
  expect(engine.engine).toBeNull();
  const [what, listening, restarted] = await next();
  expect(what).toBe('ready');
  expect(listening).toMatchObject({ token: 't', existing: false });
  expect(restarted).toBe(false);
  expect(engine.owned).toBe(true);
});

test('an engine that has started again within its process is ready again, where its data are now', async () => {
  const { engine, next } = supervise('again');
  engine.start();
  const [, first] = (await next()) as ['ready', Listening];
  expect(first.dataFolder).toBe('/nowhere');
  expect(await next()).toEqual(['ready', { ...first, dataFolder: '/moved' }, false]);
  expect(engine.engine?.dataFolder).toBe('/moved');
});

test('a killed engine is started again once, a second death is a failure with the reason', async () => {
  const { engine, next } = supervise('serve');
  engine.start();
  const [, first] = (await next()) as ['ready', Listening];
  process.kill(first.pid, 'SIGKILL');
  expect(await next()).toEqual(['lost', 'The engine ended by SIGKILL.']);
  expect(engine.engine).toBeNull();
  const [what, second, restarted] = (await next()) as ['ready', Listening, boolean];
  expect([what, restarted]).toEqual(['ready', true]);
  expect(second.pid).not.toBe(first.pid);
  process.kill(second.pid, 'SIGKILL');
  const [failed, failure] = (await next()) as ['failed', EngineFailure];
  expect(failed).toBe('failed');
  expect(failure.reason).toBe('The engine ended by SIGKILL.');
  expect(failure.lastLines).toContain('a line that is no JSON');
  expect(failure.lastLines.join('\n')).not.toContain('token'); // They end in reports.
  engine.restart();
  expect((await next())[0]).toBe('ready');
});

test('an engine that ends before it is ready fails at once, with its last lines', async () => {
  const { engine, next } = supervise('refuse');
  engine.start();
  expect(await next()).toEqual([
    'failed',
    { reason: 'The engine ended with code 3.', lastLines: ['The database is newer than this program.'] },
  ]);
});

test('an executable that is not there is a failure with the reason', async () => {
  const heard: EngineFailure[] = [];
  await new Promise<void>((resolve) => {
    const engine = new EngineProcess(
      { executable: '/nowhere/node', arguments: [], folder: '/', environment: {} },
      {
        onReady: () => undefined,
        onLost: () => undefined,
        onFailed: (failure) => (heard.push(failure), resolve()),
      },
    );
    engine.start();
  });
  expect(heard[0]?.reason).toContain('ENOENT');
});

test('stopping ends the process and calls nobody', async () => {
  const { engine, next, heard } = supervise('serve');
  engine.start();
  const [, { pid }] = (await next()) as ['ready', Listening];
  await engine.stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(heard).toEqual([]);
});

test('an engine that does not listen to its end is ended by force', async () => {
  const { engine, next } = supervise('deaf');
  engine.start();
  const [, { pid }] = (await next()) as ['ready', Listening];
  const startMs = Date.now();
  await engine.stop(500);
  expect(Date.now() - startMs).toBeGreaterThan(450);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test.skipIf(process.platform === 'win32')('stopping again while a worker still holds the pipes returns', async () => {
  const { engine, next } = supervise('survived');
  engine.start();
  await next();
  await engine.stop();
  await engine.stop();
});

test("another process's engine is used, not stopped, and replaced when it goes", async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  const { engine, next } = supervise('existing', String(other.pid));
  engine.start();
  expect((await next())[1]).toMatchObject({ existing: true, pid: other.pid });
  expect(engine.owned).toBe(false);
  await engine.stop();
  expect(other.exitCode).toBeNull();
  expect(other.signalCode).toBeNull();
  engine.start();
  await next();
  other.kill('SIGKILL');
  expect((await next())[0]).toBe('lost');
});
