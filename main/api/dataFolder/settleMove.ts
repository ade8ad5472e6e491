/**
 * Carries out the move of a data folder that was ordered, and follows one that was: before the engine takes the folder.
 * Every step may be cut off anywhere; the next start, of either place, goes on. What cannot be done is undone: until the
 * database has been opened in the new place, the old one has everything or gets it back.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, toErrorShape } from '../../contract/errors.ts';
import { copyTree } from '../../jobs/dataFolder/copyTree.ts';
import { databaseName } from '../../jobs/dataFolder/dataFiles.ts';
import {
  movedEntries,
  movingFrom,
  readMoved,
  removeMoved,
  removeMoving,
  writeMoved,
  writeMoving,
} from '../../jobs/dataFolder/movedFolder.ts';
import { outliveAll } from '../../jobs/workerProcess.ts';
import { openStore } from '../../store/store.ts';
import { lockDataFolder } from '../engineFile.ts';

export interface Settled {
  /** Where the data are. */
  folder: string;
  /** Why a move that was ordered was not done; null when it was, and when there was none. */
  notMoved: string | null;
}

/**
 * @param hops at most: files that lead in a circle were not written by a move
 * @throws NOT_FOUND the data were moved to a place that is not there; CONFLICT a copy to this place is under way;
 *   ENGINE_LOCKED an engine runs in the old place
 */
export async function settleMove(folder: string, hops = 20): Promise<Settled> {
  if (hops === 0) throw notThere(folder, folder);
  const from = movingFrom(folder);
  const order = from === null ? null : readMoved(from);
  if (from !== null && order?.to === folder) {
    if (order.done) await finish(from, folder);
    else return settleMove(from, hops - 1);
  } else if (from !== null && existsSync(from)) throw halfCopied(folder, from);
  const own = readMoved(folder);
  if (own === null) return { folder, notMoved: null };
  if (!own.done) {
    const notMoved = await carryOut(folder, own.to);
    if (notMoved !== null) return { folder, notMoved };
  }
  if (!existsSync(join(own.to, databaseName))) throw notThere(folder, own.to);
  return settleMove(own.to, hops - 1);
}

const halfCopied = (folder: string, from: string): AppError =>
  new AppError('CONFLICT', `${folder} holds a copy of ${from} that is not whole.`, {
    hint: `Start with --data ${JSON.stringify(from)} and finish or discard the move in its settings.`,
  });
const notThere = (from: string, to: string): AppError =>
  new AppError('NOT_FOUND', `The data of ${from} were moved to ${to}, which is not there.`, {
    hint: 'Attach that disk and start again, or start with another data folder (--data DIR).',
  });

/** @returns why it was not done, when it had to be undone */
async function carryOut(from: string, to: string): Promise<string | null> {
  const lock = lockDataFolder(from);
  try {
    await outliveAll(join(from, 'jobs'));
    try {
      await transfer(from, to);
    } catch (error) {
      await undo(from, to);
      const { message, hint = '' } = toErrorShape(error);
      return `The data were not moved to ${to}; they are where they were. ${message} ${hint}`.trim();
    }
    // A former home that data come back to leads nowhere any more; before this place leads to it.
    await removeMoved(to);
    await writeMoved(from, { to, done: true });
    await finish(from, to);
    return null;
  } finally {
    lock.release();
  }
}

/** By renaming, or where that does not reach by copying: then the old ones stay until all is there. */
async function transfer(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  await writeMoving(to, from);
  for (const name of await movedEntries(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    try {
      await rename(source, target);
    } catch (error) {
      if (!['EXDEV', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await copyTree(source, target);
    }
  }
  // Some file systems cannot hold a database: better known while the old one is whole.
  const store = await openStore(join(to, databaseName));
  try {
    store.settleIn(to);
  } finally {
    store.close();
  }
}

async function undo(from: string, to: string): Promise<void> {
  for (const name of await movedEntries(to).catch(() => [])) {
    if (existsSync(join(from, name))) await rm(join(to, name), { recursive: true, force: true });
    else await rename(join(to, name), join(from, name));
  }
  await removeMoving(to).catch(() => undefined);
  await removeMoved(from);
}

/** What was copied has no use in the old place any more. */
async function finish(from: string, to: string): Promise<void> {
  for (const name of await movedEntries(from).catch(() => []))
    await rm(join(from, name), { recursive: true, force: true });
  await removeMoving(to);
}

/** Takes back an order, and what was copied for it. */
export const discardMove = (from: string, to: string): Promise<void> => undo(from, to);
