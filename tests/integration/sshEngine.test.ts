/** Another machine's engine over SSH: found or started, reached, lost and reached again; and why it is not. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TunnelFault } from '../../main/contract/desktop.ts';
import { callEngine } from '../../electron/engineConnection.ts';
import type { RemoteAddress } from '../../electron/remotePage.ts';
import { SshEngine } from '../../electron/sshEngine.ts';
import { cliEntry, temporaryFolder, until } from './engineProcess.ts';
import { realSsh, sshServer, standInSsh } from './sshParts.ts';
import type { SshUnderTest } from './sshParts.ts';

type Case = [name: string, start: (folder: string) => Promise<SshUnderTest>, isReal: boolean];
const cases: Case[] = [['a stand-in for ssh', (folder) => Promise.resolve(standInSsh(folder)), false]];
// A machine without an SSH server is a normal one; `npm test` says that these were not run.
if (sshServer !== '') cases.push(['ssh and its server', realSsh, true]);

describe.each(cases)('Over %s', (_, start, isReal) => {
  const before = process.env['PATH'];
  const folder = mkdtempSync(join(tmpdir(), 'rotascope-ssh-'));
  let ssh: SshUnderTest;
  beforeAll(async () => {
    ssh = await start(folder);
    process.env['PATH'] = ssh.path;
  });
  afterAll(async () => {
    process.env['PATH'] = before;
    await ssh.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Far {
    data: string;
    command: string;
    /** Of the engine that runs there. */
    pid(): number;
  }
  /** Another machine: its data folder, and what starts its engine. */
  const farMachine = async (): Promise<Far> => {
    const there = await temporaryFolder();
    const [data, pages] = [join(there, 'data'), join(there, 'pages')];
    mkdirSync(pages);
    writeFileSync(join(pages, 'index.html'), '<!doctype html><title>Rotascope</title>');
    const pid = (): number => (JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8')) as { pid: number }).pid;
    onTestFinished(() => {
      try {
        process.kill(pid(), 'SIGKILL');
      } catch {
        // It was never started, or has ended.
      }
    });
    const command = `env ROTASCOPE_DATA=${data} ROTASCOPE_RENDERER=${pages} ${process.execPath} ${cliEntry}`;
    return { data, command, pid };
  };
  interface Heard {
    ups: RemoteAddress[];
    downs: NonNullable<TunnelFault>[];
  }
  const engineOn = (command: string, host = ssh.host): { engine: SshEngine; heard: Heard } => {
    const heard: Heard = { ups: [], downs: [] };
    const listeners = {
      onUp: (address: RemoteAddress) => void heard.ups.push(address),
      onDown: (fault: NonNullable<TunnelFault>) => void heard.downs.push(fault),
    };
    const engine = new SshEngine({ host, command }, listeners);
    onTestFinished(() => engine.close());
    return { engine, heard };
  };
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  test('the engine is started there, stays when the tunnel is closed, and is found again', async () => {
    const { command, data, pid } = await farMachine();
    const { engine } = engineOn(command);
    const address = await engine.open();
    expect(await callEngine(address, 'app.state', {})).toMatchObject({ dataFolder: data });
    const [enginePid, tunnelPid] = [pid(), ssh.lastPid()];
    engine.close();
    await until(
      () => isAlive(tunnelPid),
      (alive) => !alive,
    );
    await expect(callEngine(address, 'app.state', {})).rejects.toThrow();
    expect(isAlive(enginePid)).toBe(true);
    const again = engineOn(command).engine;
    expect((await again.open()).token).toBe(address.token);
    expect(pid()).toBe(enginePid);
  });

  test('a tunnel that drops comes back at the same address', async () => {
    const { command } = await farMachine();
    const { engine, heard } = engineOn(command);
    const address = await engine.open();
    process.kill(ssh.lastPid(), 'SIGKILL');
    await until(
      () => heard.downs.length,
      (downs) => downs === 1,
    );
    expect(heard.downs[0]!.reason).toContain(ssh.host);
    expect(heard.downs[0]!.retryAtMs).toBeGreaterThan(Date.now() - 1000);
    await until(
      () => heard.ups.length,
      (ups) => ups === 1,
    );
    expect(heard.ups).toEqual([address]);
    expect((await callEngine(address, 'app.state', {})).version).not.toBe('');
    expect(heard.downs).toHaveLength(1);
  });

  test('an engine that ends there is started again', async () => {
    const { command, pid } = await farMachine();
    const { engine, heard } = engineOn(command);
    const address = await engine.open();
    const first = pid();
    process.kill(first, 'SIGKILL');
    await until(
      () => heard.ups.length,
      (ups) => ups === 1,
    );
    expect(heard.downs[0]!.reason).toBe(`The engine on ${ssh.host} has ended the connection.`);
    expect(heard.ups[0]).toEqual(address);
    expect(pid()).not.toBe(first);
  });

  test('an attempt that is given up leaves nothing behind', async () => {
    const { engine, heard } = engineOn('sleep 600 && echo');
    const opening = engine.open();
    await until(
      () => ssh.lastPid(),
      (pid) => isAlive(pid),
    );
    const pid = ssh.lastPid();
    engine.close();
    await expect(opening).rejects.toMatchObject({ code: 'CANCELLED' });
    await until(
      () => isAlive(pid),
      (alive) => !alive,
    );
    expect(heard).toEqual({ ups: [], downs: [] });
  });

  const refusals: [what: string, host: string, command: string, said: RegExp, onlyReal: boolean][] = [
    ['a key that is not known', 'stranger', 'rotascope', /^The key of stranger is not known here yet\./, false],
    ['no such command', 'lab', '/nowhere/rotascope', /^"\/nowhere\/rotascope" could not be run on lab\./, false],
    ['keys that are not taken', 'denied', 'rotascope', /^denied accepts none of your keys\./, true],
    ['a machine that does not answer', 'nobody', 'rotascope', /^nobody does not answer\./, true],
    [
      'a name that no machine has',
      'no.machine.invalid',
      'rotascope',
      /^There is no machine named no\.machine\.invalid\./,
      true,
    ],
  ];
  for (const [what, host, command, said, onlyReal] of refusals) {
    if (onlyReal && !isReal) continue;
    test(`${what} is said, with the next step`, async () => {
      const error: unknown = await engineOn(command, host)
        .engine.open()
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ message: expect.stringMatching(said) as string });
      expect((error as { hint: string }).hint).toMatch(/ssh|VPN/);
    });
  }

  test('an engine that refuses to start there is heard in its own words', async () => {
    const { command, data } = await farMachine();
    mkdirSync(data);
    writeFileSync(join(data, 'rotascope.sqlite'), 'no database '.repeat(1000));
    await expect(engineOn(command).engine.open()).rejects.toThrow(/^lab: The engine did not start\. .*database/);
  });

  test('an engine whose pages were not built says what builds them', async () => {
    const { command } = await farMachine();
    const error: unknown = await engineOn(command.replace('/pages', '/none'))
      .engine.open()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'CONFLICT',
      hint: expect.stringContaining('npm start -- --no-open') as string,
    });
  });
});
