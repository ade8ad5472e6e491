/** Calls about moving the data folder, and about the restart that carries out what was prepared. */
import { access, constants, mkdir, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Job } from '../../contract/api.ts';
import type { MovePlan } from '../../contract/dataFolder.ts';
import { AppError } from '../../contract/errors.ts';
import { diskFull } from '../../jobs/dataFolder/diskSpace.ts';
import { movedEntries, movingFrom, readMoved, writeMoved, writeMoving } from '../../jobs/dataFolder/movedFolder.ts';
import { incomingName } from '../../jobs/dataFolder/restoreFile.ts';
import { moveRequestSchema, type MoveRequest } from '../../jobs/kinds/moveData.ts';
import type { EngineContext } from '../context.ts';
import type { HandlerGroup } from '../handlers.ts';
import { folderSize } from '../storage.ts';
import { readRestoreFile } from './applyRestore.ts';
import { isWithin, requireWhole } from './paths.ts';
import { discardMove } from './settleMove.ts';

const outside = { studyId: null, stageId: null, seed: null } as const;

export function moveHandlers(context: EngineContext): HandlerGroup {
  const { supervisor, dataFolder, restart, log } = context;
  supervisor.listen({
    onJob: () => undefined,
    onEvents: () => undefined,
    onSettled: (job) => {
      if (job.kind === 'moveData')
        copyEnded(context, job).catch((error: unknown) => log.error({ err: error }, 'A move could not be settled'));
    },
  });
  return {
    'move.look': ({ folder }) => plan(context, folder),
    'move.start': async ({ folder }) => {
      const { from, to, sameDisk, size } = await plan(context, folder);
      await mkdir(to, { recursive: true, mode: 0o700 });
      if (sameDisk) {
        await writeMoved(from, { to, done: false });
        return { jobId: null };
      }
      await writeMoving(to, from);
      const request: MoveRequest = { from, to, bytes: size.bytes };
      const title = `Copy the data to ${to}`;
      return { jobId: supervisor.enqueue({ ...outside, kind: 'moveData', title, request }).id };
    },
    'data.prepared': async () => {
      const moved = readMoved(dataFolder);
      const restore = (await readRestoreFile(dataFolder))?.contents ?? null;
      return { restore, move: moved === null || moved.done ? null : { to: moved.to } };
    },
    'data.discard': async () => {
      await rm(join(dataFolder, incomingName), { recursive: true, force: true });
      const moved = readMoved(dataFolder);
      if (moved !== null && !moved.done) await discard(dataFolder, moved.to);
      return { ok: true };
    },
    'app.restart': () => {
      if (restart === null)
        throw new AppError('CONFLICT', 'This engine ends with the command that started it.', {
          hint: 'End that command and start the lab again.',
        });
      // The answer goes first.
      setTimeout(restart, 100);
      return { ok: true };
    },
  };
}

/** A whole copy waits for the next start; one that was given up goes. One that was interrupted goes on when it is resumed. */
async function copyEnded({ events, dataFolder }: EngineContext, { state, request }: Job): Promise<void> {
  const { from, to } = moveRequestSchema.parse(request);
  if (state === 'succeeded') await writeMoved(from, { to, done: false });
  else if (state !== 'interrupted') await discard(dataFolder, to);
  events.publish({ type: 'app' });
}

async function discard(from: string, to: string): Promise<void> {
  await discardMove(from, to);
  // Made for the move, or empty before it.
  await rmdir(to).catch(() => undefined);
}

async function plan({ store, dataFolder: from }: EngineContext, folder: string): Promise<MovePlan> {
  requireWhole(folder);
  const busy = store.jobs.withState('queued', 'running');
  if (busy.length > 0)
    throw new AppError(
      'CONFLICT',
      `${busy.length === 1 ? `"${busy[0]!.title}" is` : `${busy.length} jobs are`} under way.`,
      {
        hint: 'Wait until all have ended, or cancel them: they can be resumed in the new place.',
      },
    );
  if ((await readRestoreFile(from)) !== null || readMoved(from) !== null)
    throw new AppError('CONFLICT', 'Another change of the data folder waits for a restart.', {
      hint: 'Restart, or discard it first.',
    });
  const { to, above } = await truePlace(resolve(folder));
  const home = await realpath(from);
  if (isWithin(to, home) || isWithin(home, to))
    throw new AppError('INVALID_REQUEST', `${to} and the data folder lie in each other.`, {
      hint: 'Choose another folder.',
    });
  await requireUsable(to, above, from);
  const { bavail, bsize } = await statfs(above);
  const [freeBytes, size] = [bavail * bsize, await folderSize(from)];
  const sameDisk = (await stat(above)).dev === (await stat(home)).dev;
  if (!sameDisk && size.bytes > freeBytes) throw diskFull(to, undefined, size.bytes - freeBytes);
  return { from, to, sameDisk, size, freeBytes };
}

/** Without links, and the nearest folder on the way that is there. */
async function truePlace(path: string): Promise<{ to: string; above: string }> {
  const real = await realpath(path).catch(() => null);
  if (real !== null) return { to: real, above: real };
  const { to, above } = await truePlace(dirname(path));
  return { to: join(to, basename(path)), above };
}

/** @throws INVALID_REQUEST it is no folder, or cannot be written; CONFLICT it holds something */
async function requireUsable(to: string, above: string, from: string): Promise<void> {
  if (!(await stat(above)).isDirectory())
    throw new AppError('INVALID_REQUEST', `${above} is not a folder.`, { hint: 'Choose another one.' });
  await access(above, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw new AppError('INVALID_REQUEST', `${above} cannot be written.`, {
      hint: 'Choose another folder, or change its permissions.',
      cause,
    });
  });
  // A copy of these data that was cut off is gone on with.
  const present = to === above && movingFrom(to) !== from ? await movedEntries(to) : [];
  if (present.length > 0)
    throw new AppError('CONFLICT', `${to} holds something: ${present.slice(0, 3).join(', ')}.`, {
      hint: 'Choose an empty or a new folder.',
    });
}
