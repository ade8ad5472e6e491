/**
 * An `ssh` for the tests, first on the PATH: the stand-in, or the real client with a real server of its own on a high port
 * (where one is installed, or named by ROTASCOPE_SSHD).
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findSshServer, onPath } from '../../main/bootstrap/testParts.mjs';

const standIn = fileURLToPath(new URL('./standInSsh.mjs', import.meta.url));
export const sshServer = findSshServer();

export interface SshUnderTest {
  /** For the PATH of whoever starts `ssh`. */
  path: string;
  /** Names that this `ssh` knows. */
  host: string;
  /** Of the `ssh` that was started last. */
  lastPid(): number;
  stop(): Promise<void>;
}

/** @param run the shell's words that become `ssh` */
function sshCommand(folder: string, run: string): Pick<SshUnderTest, 'path' | 'lastPid'> {
  const bin = join(folder, 'bin');
  const pids = join(folder, 'pids');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'ssh'), `#!/bin/sh\necho $$ >> '${pids}'\nexec ${run} "$@"\n`);
  chmodSync(join(bin, 'ssh'), 0o755);
  return {
    path: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    lastPid: () => Number(readFileSync(pids, 'utf8').trim().split('\n').pop()),
  };
}

export function standInSsh(folder: string): SshUnderTest {
  return { ...sshCommand(folder, `'${process.execPath}' '${standIn}'`), host: 'lab', stop: () => Promise.resolve() };
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/**
 * Hosts: `lab` lets in; `stranger` has a key that is not known; `denied` is told a key that the server does not take;
 * `nobody` does not answer.
 */
export async function realSsh(folder: string): Promise<SshUnderTest> {
  const file = (name: string, text?: string): string => {
    if (text !== undefined) writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  for (const name of ['host', 'mine', 'other'])
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
  const [port, closed] = [await freePort(), await freePort()];
  file('known', `[127.0.0.1]:${port} ${readFileSync(file('host.pub'), 'utf8')}`);
  file('authorized', readFileSync(file('mine.pub'), 'utf8'));
  const settings = {
    ...{ Port: port, ListenAddress: '127.0.0.1', HostKey: file('host'), AuthorizedKeysFile: file('authorized') },
    ...{
      PidFile: file('sshd.pid'),
      StrictModes: 'no',
      UsePAM: 'no',
      PermitRootLogin: 'yes',
      PasswordAuthentication: 'no',
    },
  };
  const lines = (options: object, indent = ''): string =>
    Object.entries(options)
      .map(([name, value]) => `${indent}${name} ${value}\n`)
      .join('');
  const server = spawn(sshServer, ['-D', '-f', file('sshd_config', lines(settings)), '-E', file('sshd.log')], {
    stdio: 'ignore',
  });
  const client = (host: string, more: object): string => {
    const usual = { HostName: '127.0.0.1', Port: port, User: userInfo().username, IdentityFile: file('mine') };
    const trust = { IdentitiesOnly: 'yes', UserKnownHostsFile: file('known'), GlobalKnownHostsFile: '/dev/null' };
    return `Host ${host}\n${lines({ ...usual, ...trust, ...more }, '  ')}`;
  };
  const config = [
    client('lab', {}),
    client('stranger', { UserKnownHostsFile: '/dev/null' }),
    client('denied', { IdentityFile: file('other') }),
    client('nobody', { Port: closed }),
  ];
  const command = sshCommand(folder, `'${onPath('ssh')}' -F '${file('ssh_config', config.join(''))}'`);
  for (const endMs = Date.now() + 10_000; !existsSync(file('sshd.pid')) && Date.now() < endMs;)
    await new Promise((wake) => setTimeout(wake, 50));
  return {
    ...command,
    host: 'lab',
    stop: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      process.kill(Number(readFileSync(file('sshd.pid'), 'utf8')), 'SIGTERM');
      await ended;
    },
  };
}
