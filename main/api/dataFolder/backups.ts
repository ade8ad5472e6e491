/** Calls about backups: making one, looking at one, restoring one at the next start. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Job } from '../../contract/api.ts';
import type { CallAnswer, CallRequest } from '../../contract/api.ts';
import { AppError } from '../../contract/errors.ts';
import { dataFiles, isHeavy, sizeOf } from '../../jobs/dataFolder/dataFiles.ts';
import { openBackup } from '../../jobs/dataFolder/readBackup.ts';
import { incomingName } from '../../jobs/dataFolder/restoreFile.ts';
import { backupRequestSchema, type BackupRequest } from '../../jobs/kinds/backup.ts';
import type { RestoreRequest } from '../../jobs/kinds/restore.ts';
import { knownSchema } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import type { HandlerGroup } from '../handlers.ts';
import { folderSize } from '../storage.ts';
import { replacedName } from './applyRestore.ts';
import { isWithin, requireWhole } from './paths.ts';

/** Copies of the database on their way into a backup. */
const outgoingName = 'outgoing';
const outside = { studyId: null, stageId: null, seed: null } as const;

export function backupHandlers(context: EngineContext): HandlerGroup {
  const { store, supervisor, dataFolder } = context;
  supervisor.listen({
    onJob: () => undefined,
    onEvents: () => undefined,
    onSettled: (job) => {
      // A job that the engine's end interrupted goes on with it.
      if (job.kind === 'backup' && job.state !== 'interrupted') removeSnapshot(job, context);
    },
  });
  return {
    'backup.sizes': async () => {
      const files = await dataFiles(dataFolder);
      const light = sizeOf([{ bytes: store.bytes() }, ...files.filter(({ name }) => !isHeavy(name))]);
      return { light, heavy: sizeOf(files.filter(({ name }) => isHeavy(name))) };
    },
    'backup.start': (order) => startBackup(context, order),
    'backup.look': ({ path }) => look(path),
    'restore.start': async ({ path }) => {
      const { path: whole } = await look(path);
      requireNone(context, 'restore', 'A restore');
      const request: RestoreRequest = {
        path: whole,
        incoming: join(dataFolder, incomingName),
        knownSchema: [...knownSchema],
      };
      // One that was prepared before gives way at once.
      await rm(request.incoming, { recursive: true, force: true });
      const job = supervisor.enqueue({ ...outside, kind: 'restore', title: 'Unpack a backup', request });
      return { jobId: job.id };
    },
    'data.removeReplaced': async () => {
      const folder = join(dataFolder, replacedName);
      const { bytes } = await folderSize(folder);
      await rm(folder, { recursive: true, force: true });
      return { freedBytes: bytes };
    },
  };
}

async function look(path: string): Promise<CallAnswer<'backup.look'>> {
  requireWhole(path);
  const backup = await openBackup(resolve(path), knownSchema);
  backup.close();
  return backup.contents;
}

async function startBackup(
  context: EngineContext,
  { path, withHeavy, replace }: CallRequest<'backup.start'>,
): Promise<{ jobId: string }> {
  const { store, supervisor, dataFolder, version } = context;
  const target = await checkedTarget(dataFolder, path, replace);
  requireNone(context, 'backup', 'A backup');
  const folder = join(dataFolder, outgoingName);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const snapshot = join(folder, `${randomUUID()}.sqlite`);
  await store.copyTo(snapshot);
  const request: BackupRequest = {
    ...{ dataFolder, snapshot, target, replace, withHeavy },
    head: {
      rotascope: version,
      schema: [...knownSchema],
      studies: store.studies.list().length,
      runs: store.runs.list(false).length,
      checkpoints: store.checkpoints.folders().length,
    },
  };
  return { jobId: supervisor.enqueue({ ...outside, kind: 'backup', title: 'Back up the data', request }).id };
}

async function checkedTarget(dataFolder: string, path: string, replace: boolean): Promise<string> {
  requireWhole(path);
  const target = resolve(path);
  if (isWithin(target, dataFolder))
    throw new AppError('INVALID_REQUEST', `${target} lies in the data folder, and is lost with it.`, {
      hint: 'Choose a place outside, better on another disk.',
    });
  const found = await stat(target).catch(() => null);
  if (found?.isDirectory())
    throw new AppError('INVALID_REQUEST', `${target} is a folder.`, { hint: 'Name a file in it.' });
  if (found !== null && !replace)
    throw new AppError('CONFLICT', `${target} is there already.`, { hint: 'Choose another name.' });
  if (!existsSync(dirname(target)))
    throw new AppError('INVALID_REQUEST', `There is no folder ${dirname(target)}.`, { hint: 'Make it first.' });
  return target;
}

function requireNone({ store }: EngineContext, kind: Job['kind'], what: string): void {
  if (!store.jobs.withState('queued', 'running').some((job) => job.kind === kind)) return;
  throw new AppError('CONFLICT', `${what} is under way.`, {
    hint: 'Wait until it has ended, or cancel it on its page.',
  });
}

function removeSnapshot({ request }: Job, { log }: EngineContext): void {
  rm(backupRequestSchema.parse(request).snapshot, { force: true }).catch((error: unknown) =>
    log.warn({ err: error }, 'A copy of the database could not be removed'),
  );
}
