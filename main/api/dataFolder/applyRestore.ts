/**
 * Puts a restored backup in the place of the data: before the database is opened, under the folder's lock. The data that
 * were there are kept, in `replaced/<date>`. Every step may be cut off anywhere; the next start goes on.
 *
 *   incoming/ (whole, database made ready) -> replaced/<date>.partial/ gets the data -> replaced/<date>/ -> incoming/* takes
 *   their place -> incoming/ goes
 */
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { toErrorShape } from '../../contract/errors.ts';
import { dataEntries, databaseName } from '../../jobs/dataFolder/dataFiles.ts';
import {
  incomingName,
  restoreFileName,
  restoreFileSchema,
  type RestoreFile,
} from '../../jobs/dataFolder/restoreFile.ts';
import { outliveAll } from '../../jobs/workerProcess.ts';
import { openStore, type Store } from '../../store/store.ts';

export const replacedName = 'replaced';
/** In `incoming`: the restore has begun, and where the data that it replaces go. */
const begunName = 'begun';

/** @returns why a restore that was prepared was not done, for a notice; null when it was, and when there was none */
export async function applyRestore(dataFolder: string): Promise<string | null> {
  const incoming = join(dataFolder, incomingName);
  const file = await readRestoreFile(dataFolder);
  if (file === null) {
    await rm(incoming, { recursive: true, force: true });
    return null;
  }
  const replaced = await placeForData(dataFolder, incoming);
  if (!existsSync(replaced)) {
    try {
      await makeReady(join(incoming, databaseName), file, replaced);
    } catch (error) {
      await rm(incoming, { recursive: true, force: true });
      return `The backup was not restored; the data are as they were. ${toErrorShape(error).message}`;
    }
    await setAside(dataFolder, incoming, replaced, file.leftOut);
  }
  for (const name of await readdir(incoming))
    if (isData(name)) await rename(join(incoming, name), join(dataFolder, name));
  // First: without it, nothing here is taken for a restore again.
  await rm(join(incoming, restoreFileName));
  await rm(incoming, { recursive: true });
  return null;
}

/** A restore that waits for the next start; null without one. */
export async function readRestoreFile(dataFolder: string): Promise<RestoreFile | null> {
  const text = await readFile(join(dataFolder, incomingName, restoreFileName), 'utf8').catch(() => null);
  return text === null ? null : restoreFileSchema.parse(JSON.parse(text));
}

const isData = (name: string): boolean =>
  dataEntries.some((entry) => entry === name) || name.startsWith(`${databaseName}-`);

/** The same one at every attempt. */
async function placeForData(dataFolder: string, incoming: string): Promise<string> {
  const begun = join(incoming, begunName);
  const name = await readFile(begun, 'utf8').catch(() => null);
  if (name !== null) return join(dataFolder, replacedName, name);
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  const chosen = local.slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  await writeFileAtomic(begun, chosen);
  return join(dataFolder, replacedName, chosen);
}

/** Brings the database to this program's schema; what was under way when the backup was made waits for the user. */
async function makeReady(file: string, { contents }: RestoreFile, replaced: string): Promise<void> {
  const store = await openStore(file);
  try {
    store.transaction(() => interruptAll(store));
    const made = new Date(contents.madeAtMs).toLocaleString('en-GB');
    store.app.addNotice(`The backup of ${made} was restored. The data that it replaced are kept in ${replaced}.`);
  } finally {
    store.close();
  }
}

function interruptAll(store: Store): void {
  for (const { id, kind, studyId, stageId } of store.jobs.withState('queued', 'running')) {
    const state = kind === 'backup' || kind === 'restore' ? 'cancelled' : 'interrupted';
    const message = 'It was under way when the backup was made.';
    const error = { code: 'INTERRUPTED', message, hint: 'Resume it.' } as const;
    store.jobs.transition(id, ['queued', 'running'], state, { error });
    if (studyId !== null && stageId !== null) store.studies.updateStage(studyId, stageId, { state });
  }
  for (const { id, state } of store.studies.list())
    if (state === 'running') store.studies.update(id, { state: 'interrupted', endedAtMs: Date.now() });
}

async function setAside(
  dataFolder: string,
  incoming: string,
  replaced: string,
  leftOut: RestoreFile['leftOut'],
): Promise<void> {
  // Workers of an engine that was killed write for a few seconds longer.
  await outliveAll(join(dataFolder, 'jobs'));
  const partial = `${replaced}.partial`;
  await mkdir(partial, { recursive: true });
  for (const name of await readdir(dataFolder))
    if (isData(name)) await rename(join(dataFolder, name), join(partial, name));
  for (const { name, bytes, mtimeMs } of leftOut)
    await takeOver(join(partial, name), join(incoming, name), bytes, mtimeMs);
  await rename(partial, replaced);
}

/** Weights that the backup left out and that are still the same ones here belong to both from now on. */
async function takeOver(from: string, to: string, bytes: number, mtimeMs: number): Promise<void> {
  const found = await stat(from).catch(() => null);
  if (!found?.isFile() || found.size !== bytes || Math.floor(found.mtimeMs) !== mtimeMs) return;
  await mkdir(dirname(to), { recursive: true });
  // Where it cannot be linked, it stays in the data that were set aside.
  await link(from, to).catch(() => undefined);
}
