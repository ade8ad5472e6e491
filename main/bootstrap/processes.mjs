/** Child processes of the preparation: none outlives it, and what a failed one said is not lost. */
import { spawn } from 'node:child_process';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Ends the children when this process is ended: Ctrl+C reaches them through the terminal, other signals do not.
 * @param {NodeJS.Signals} signal
 */
function endAll(signal) {
  for (const child of running) child.kill(signal);
  process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<{ code: number, said: string }>} exit code (1 when ended by a signal) and both outputs together
 * @throws {Error} when the command cannot be started
 */
export function runCommand(command, args, { cwd, env = process.env, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    track(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, said }));
  });
}

/**
 * Hands the terminal to a command until it ends.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onStart?: () => void }} [options]
 * @returns {Promise<number>} its exit code, 128 + the signal's number when a signal ended it
 */
export function runInForeground(command, args, { cwd, env = process.env, onStart } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
    // Ctrl+C on a terminal reaches the child too: a second SIGINT from here would cut its orderly end short.
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, forward);
    child.on('spawn', () => onStart?.());
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15));
    });
  });
}

/** @type {NodeJS.Signals[]} */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** @param {import('node:child_process').ChildProcess} child */
export function track(child) {
  if (running.size === 0) for (const signal of signals) process.on(signal, endAll);
  running.add(child);
  child.on('close', () => {
    running.delete(child);
    if (running.size === 0) for (const signal of signals) process.off(signal, endAll);
  });
}
