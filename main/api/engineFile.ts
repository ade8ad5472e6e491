/**
 * One engine per data folder. The lock is the operating system's, on `engine.lock`, and goes with the process however
 * it ends; `engine.json` (mode 0600) says where the engine answers, and keeps port and token over a restart.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';

const engineFileSchema = z.object({
  pid: z.number().int(),
  port: z.number().int().min(1).max(65535),
  token: z.string().min(32).max(256),
  version: z.string(),
  startedAtMs: z.number(),
});
export type EngineFile = z.infer<typeof engineFileSchema>;

const engineFilePath = (dataFolder: string): string => join(dataFolder, 'engine.json');

/** What the last engine of this folder wrote, or null; it may have ended since. */
export function readEngineFile(dataFolder: string): EngineFile | null {
  try {
    return engineFileSchema.parse(JSON.parse(readFileSync(engineFilePath(dataFolder), 'utf8')));
  } catch {
    return null;
  }
}

export function writeEngineFile(dataFolder: string, file: EngineFile): void {
  writeFileAtomic.sync(engineFilePath(dataFolder), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
}

export const newToken = (): string => randomBytes(32).toString('base64url');

export interface DataFolderLock {
  release(): void;
}

/**
 * Takes the data folder for this process.
 * @throws ENGINE_LOCKED when another engine has it; `details` says where it answers
 */
export function lockDataFolder(dataFolder: string): DataFolderLock {
  // An empty database in exclusive mode: SQLite brings a lock that works on every system and dies with the process.
  const lock = new Sqlite(join(dataFolder, 'engine.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const other = readEngineFile(dataFolder);
    const where = other ? ` (process ${other.pid}) at http://127.0.0.1:${other.port}/` : '';
    throw new AppError('ENGINE_LOCKED', `Another engine${where} already serves ${dataFolder}.`, {
      hint: 'Use that one, stop it first, or choose another data folder (--data DIR).',
      details: other ? { pid: other.pid, port: other.port } : {},
      cause: error,
    });
  }
  return { release: () => lock.close() };
}
