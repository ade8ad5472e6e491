/** The engine's log: one file in the data folder, JSON lines, kept small. Nothing else writes to it. */
import { existsSync, renameSync, statSync } from 'node:fs';
import { pino } from 'pino';

export type Logger = Pick<ReturnType<typeof pino>, 'debug' | 'info' | 'warn' | 'error'>;

/** Past this size the file is set aside at the next start (one older file is kept), bytes. */
const maxLogBytes = 5 * 1024 * 1024;

export function openLog(file: string): Logger {
  if (existsSync(file) && statSync(file).size > maxLogBytes) renameSync(file, `${file}.old`);
  // Synchronous, so that the last lines before a crash are there.
  return pino({ base: { pid: process.pid } }, pino.destination({ dest: file, sync: true, mkdir: true }));
}
