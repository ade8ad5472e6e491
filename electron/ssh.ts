/**
 * The system's OpenSSH, and what its failures mean for the user. Never asks for a password: keys or the agent only.
 * Knows nothing of Electron.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { SshTarget } from '../main/contract/desktop.ts';
import { AppError } from '../main/contract/errors.ts';
import type { ErrorCode } from '../main/contract/errors.ts';
import type { Listening } from '../main/contract/wire.ts';
import { listeningOf } from './engineProcess.ts';

const options = {
  BatchMode: 'yes',
  ConnectTimeout: '15',
  // A connection that is dead is found within half a minute.
  ServerAliveInterval: '10',
  ServerAliveCountMax: '3',
  ExitOnForwardFailure: 'yes',
};
const keptLines = 40;
/** What ssh said last may still be on its way when it has exited. */
const heldOpenMs = 500;

export interface SshRun {
  child: ChildProcess;
  /** Last lines of standard error. */
  errors: readonly string[];
  /** Resolves when ssh has ended, with what that means. */
  ended: Promise<AppError>;
}

/** @param args before the host */
function startSsh({ host, command }: SshTarget, args: string[], remoteCommand: string): SshRun {
  const named = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const child = spawn('ssh', ['-T', ...named, ...args, '--', host, remoteCommand], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const errors: string[] = [];
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (line) => {
      errors.push(line);
      if (errors.length > keptLines) errors.shift();
    });
  child.stdin?.on('error', () => undefined); // An ssh that ended first closes the pipe.
  const ended = new Promise<AppError>((resolve) => {
    child.once('error', (error) => resolve(explained(null, [error.message], host, command)));
    child.once('close', (code) => resolve(explained(code, errors, host, command)));
    // A program that it started (ProxyCommand, a shared connection) may hold its output open.
    child.once('exit', (code) => setTimeout(() => resolve(explained(code, errors, host, command)), heldOpenMs));
  });
  return { child, errors, ended };
}

/**
 * Starts the engine there in the background, or finds the one that runs.
 * @param onStarted gets the process, so that the attempt can be given up
 * @throws AppError why not, with the next step
 */
export async function findEngine(target: SshTarget, onStarted: (child: ChildProcess) => void): Promise<Listening> {
  const { child, ended } = startSsh(target, [], `${target.command} serve --background --json`);
  onStarted(child);
  child.stdin?.end();
  let found: Listening | null = null;
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => (found = listeningOf(line) ?? found));
  const error = await ended;
  if (found) return found;
  throw error;
}

/** Leads `localPort` here to `port` there. The far end waits for our input, so that nothing is left when the shell dies. */
export function forwardPort(target: SshTarget, localPort: number, port: number): SshRun {
  return startSsh(target, ['-L', `127.0.0.1:${localPort}:127.0.0.1:${port}`], 'cat');
}

interface Cause {
  pattern: RegExp;
  code: ErrorCode;
  fact: string;
  hint: string;
}

const causes = (host: string): Cause[] => [
  {
    pattern: /spawn ssh ENOENT/,
    code: 'NOT_FOUND',
    fact: 'The program ssh is not installed here.',
    hint: 'Install the OpenSSH client, then connect again.',
  },
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'UNAUTHORIZED',
    fact: `${host} has another key than before.`,
    hint: `Ask who runs it whether that is right. If so, remove the old key (ssh-keygen -R) and accept the new one: ssh ${host}`,
  },
  {
    pattern: /Host key verification failed|host key is known for/,
    code: 'UNAUTHORIZED',
    fact: `The key of ${host} is not known here yet.`,
    hint: `Run this in a terminal, compare the fingerprint and accept it, then connect again: ssh ${host}`,
  },
  {
    pattern: /Permission denied \(|Too many authentication failures/,
    code: 'UNAUTHORIZED',
    fact: `${host} accepts none of your keys.`,
    hint: `Passwords are not asked for here. Load your key (ssh-add) or name it in ~/.ssh/config, until this asks nothing: ssh ${host} true`,
  },
  {
    pattern: /Could not resolve hostname/,
    code: 'NOT_FOUND',
    fact: `There is no machine named ${host}.`,
    hint: 'Check the name, and whether a VPN is needed.',
  },
  {
    pattern: /Connection (refused|timed out|closed by|reset)|No route to host|Network is unreachable|not responding/,
    code: 'NOT_FOUND',
    fact: `${host} does not answer.`,
    hint: 'Check that it runs and can be reached, and whether a VPN is needed.',
  },
  {
    pattern: /administratively prohibited|forwarding failed|cannot listen to port/,
    code: 'CONFLICT',
    fact: `The port could not be forwarded from ${host}.`,
    hint: 'Its SSH server has to allow it (AllowTcpForwarding).',
  },
  {
    pattern: /unknown option/,
    code: 'CONFLICT',
    fact: `Rotascope on ${host} is of another version.`,
    hint: 'Install the same version on both machines.',
  },
];

/** What the shell there ends with when it finds no such program, or may not run it. */
const notRunCodes = [126, 127];

function explained(code: number | null, lines: readonly string[], host: string, command: string): AppError {
  const said = lines.join('\n');
  const more = said === '' ? {} : { cause: new Error(said) };
  const tryIt = `Try it in a terminal: ssh ${host} ${command} --version`;
  const known = causes(host).find(({ pattern }) => pattern.test(said));
  if (known) return new AppError(known.code, known.fact, { hint: known.hint, ...more });
  if (notRunCodes.includes(code ?? 0) || /Cannot find module|is not recognized/.test(said)) {
    const hint = `Give whole paths: a command over SSH does not see what only a terminal sets up. ${tryIt}`;
    return new AppError('NOT_FOUND', `"${command}" could not be run on ${host}.`, { hint, ...more });
  }
  if (lines.length === 0) return new AppError('INTERRUPTED', `ssh to ${host} has ended.`, { hint: tryIt });
  return new AppError('INTERRUPTED', `${host}: ${lines.slice(-2).join(' ')}`, { hint: tryIt, ...more });
}
