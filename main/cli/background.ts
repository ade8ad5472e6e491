/**
 * An engine that outlives the command that started it: for a machine that one works on through SSH, where jobs go on when
 * the connection drops. Where a `serve` runs on the data folder already, that one stays.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEngineFile } from '../api/engineFile.ts';
import { AppError } from '../contract/errors.ts';

/** Cold starts read the disk and check the database, ms. */
const startTimeoutMs = 60_000;
const lookEveryMs = 50;

/**
 * Resolves when an engine answers on the folder; `engine.json` says where.
 * @param folder absolute
 * @returns whether it ran before
 * @throws INTERNAL it ended before it answered, in its own words; or it did not answer in time
 */
export async function startInBackground(folder: string, port: number | undefined): Promise<boolean> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const logPath = join(folder, 'background.log');
  const log = openSync(logPath, 'a', 0o600);
  const { size } = fstatSync(log);
  const options = ['--no-open', '--data', folder, ...(port === undefined ? [] : ['--port', String(port)])];
  // Its output would be the address with the token; the log holds what goes wrong.
  const child = spawn(process.execPath, [process.argv[1]!, 'serve', ...options], {
    stdio: ['ignore', 'ignore', log],
    detached: true,
    windowsHide: true,
  });
  closeSync(log);
  let code: number | null = null;
  child.once('exit', (exitCode, signal) => (code = exitCode ?? (signal ? 1 : 0)));
  child.once('error', () => (code = 1));
  for (const endMs = Date.now() + startTimeoutMs; Date.now() < endMs;) {
    if (readEngineFile(folder)?.pid === child.pid) {
      child.unref();
      return false;
    }
    if (code === 0) return true; // It found another one and said so.
    if (code !== null) break;
    await new Promise((wake) => setTimeout(wake, lookEveryMs));
  }
  child.kill('SIGKILL');
  const said = readFileSync(logPath).subarray(size).toString('utf8').trim().split('\n').join(' ');
  throw new AppError('INTERNAL', `The engine did not start. ${said}`.trim(), {
    hint: `Its output is in ${logPath}.`,
  });
}
