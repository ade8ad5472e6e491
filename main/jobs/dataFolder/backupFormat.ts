/**
 * A backup: one zip file of the database, the files of the data folder, and `manifest.json`, which names every file with
 * its size and SHA-256, and those that were left out. A manifest may come from anywhere: it is bounded and checked.
 */
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { dataEntries, databaseName } from './dataFiles.ts';

export const manifestName = 'manifest.json';
export const backupFormatName = 'rotascope-backup';
export const backupVersion = 1;
/** Of 10,000 checkpoints with all their files and as many jobs, a tenth. */
export const maxFiles = 1_000_000;
/** A line of a file is below 250 bytes. */
export const maxManifestBytes = 256 * 1024 * 1024;
const maxNameBytes = 1000;

const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const timeMs = z.number().int().min(0).max(8.64e15);
const count = z.number().int().min(0).max(1e9);
const leftOutSchema = z.object({ name: z.string().min(1), bytes, mtimeMs: timeMs });
const fileSchema = leftOutSchema.extend({ sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256') });

/** What the engine knows of the data when it orders a backup. */
export const backupHeadSchema = z.object({
  rotascope: z.string().max(100),
  /** Migrations of the database, oldest first. */
  schema: z.array(z.string().max(200)).max(10_000),
  studies: count,
  runs: count,
  checkpoints: count,
});
export type BackupHead = z.infer<typeof backupHeadSchema>;

export const manifestSchema = backupHeadSchema.extend({
  format: z.literal(backupFormatName),
  version: z.literal(backupVersion),
  madeAtMs: timeMs,
  files: z.array(fileSchema).min(1).max(maxFiles),
  leftOut: z.array(leftOutSchema).max(maxFiles),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const refusedBackup = (fact: string, hint?: string, cause?: unknown): AppError =>
  new AppError('STORE_INVALID', `This backup cannot be restored: ${fact}.`, {
    hint: hint ?? 'Copy the file again from where it was made, or choose another backup.',
    cause,
  });
export const newerBackup = (what: string): AppError =>
  refusedBackup(`it was made by a newer version (${what})`, 'Update Rotascope, then restore it.');

/** What a file system may not take as a part of a name, or takes for something else. */
const forbidden = process.platform === 'win32' ? /[\0-\x1f\\<>:"|?*]|[. ]$/ : /[\0-\x1f\\]/;

/** Whether a name can only lie below the data folder, in a place that is ours. */
export function isDataName(name: string): boolean {
  if (name === databaseName) return true;
  const parts = name.split('/');
  const [first] = parts;
  return (
    parts.length > 1 &&
    first !== databaseName &&
    dataEntries.some((entry) => entry === first) &&
    Buffer.byteLength(name) <= maxNameBytes &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !forbidden.test(part))
  );
}

/** Two names that are one file where case does not count, or a file where another name needs a folder. */
export function clashOf(names: readonly string[]): string | null {
  const key = (name: string): string => name.normalize('NFC').toLowerCase();
  const files = new Set<string>();
  for (const name of names) {
    if (files.has(key(name))) return name;
    files.add(key(name));
  }
  for (const name of names) {
    const parts = key(name).split('/');
    for (let depth = 1; depth < parts.length; depth++) if (files.has(parts.slice(0, depth).join('/'))) return name;
  }
  return null;
}
