/**
 * A data folder on its way to another place, and what is left where it was:
 *
 *   old/moved.json  { to, done: false }  it goes to `to` at the next start;  done: true: it is there, follow it
 *   new/moving.json { from }             what lies here is not whole yet, or the old place is still to be cleared
 */
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { movedFileName } from '../../bootstrap/folders.mjs';

const movingFileName = 'moving.json';
const movedSchema = z.object({ to: z.string().min(1), done: z.boolean() });
const movingSchema = z.object({ from: z.string().min(1) });
export type Moved = z.infer<typeof movedSchema>;

/** What belongs to a place and not to the data: the lock, the log of the engine, the window's state. */
const ofThePlace = /^(engine\.lock.*|engine\.log|shell|moved\.json.*|moving\.json.*)$/;
/** Names of what moves. */
export async function movedEntries(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !ofThePlace.test(name)).sort();
}

function read<T>(path: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

export const readMoved = (folder: string): Moved | null => read(join(folder, movedFileName), movedSchema);
/** Where what lies here comes from; null when it is at home. */
export const movingFrom = (folder: string): string | null =>
  read(join(folder, movingFileName), movingSchema)?.from ?? null;

export const writeMoved = (folder: string, moved: Moved): Promise<void> =>
  writeFileAtomic(join(folder, movedFileName), JSON.stringify(moved));
export const writeMoving = (folder: string, from: string): Promise<void> =>
  writeFileAtomic(join(folder, movingFileName), JSON.stringify({ from }));
export const removeMoved = (folder: string): Promise<void> => rm(join(folder, movedFileName), { force: true });
export const removeMoving = (folder: string): Promise<void> => rm(join(folder, movingFileName), { force: true });
