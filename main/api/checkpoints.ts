/** Calls about checkpoints: the catalogue and what may come into it. */
import { AppError } from '../contract/errors.ts';
import type { Checkpoint, CheckpointPatch, ImportVerdict } from '../contract/api.ts';
import { inspectPaths } from '../ml/checkpoints/inspectPaths.ts';
import { readDetail, readForImport } from './catalogue.ts';
import type { ReadCheckpoint } from './catalogue.ts';
import { diff, relink, verify } from './checkpointFiles.ts';
import type { EngineContext } from './context.ts';
import { FolderPresence } from './folderPresence.ts';
import type { HandlerGroup } from './handlers.ts';
import { checkPatch, guessLineage, trajectoryOf } from './lineage.ts';

/** A checkpoint that is in the list keeps what a study or the user has said of it, and its hash while its files are the same. */
function withKnown({ store }: EngineContext, read: ReadCheckpoint): ReadCheckpoint {
  const known = store.checkpoints.byFolder(read.row.folder);
  if (!known) return { ...read, row: { ...read.row, trajectory: trajectoryOf(read, store) } };
  const { name, studyId, seed, step, trajectory, referenceId, parentId, copied, contentHash, nonFiniteTensors } = known;
  const isSame = JSON.stringify(store.checkpoints.stamps(known.id)) === JSON.stringify(read.row.stamps);
  const hashed = isSame ? { contentHash, nonFiniteTensors } : {};
  const said = { name, studyId, seed, step, trajectory, referenceId, parentId, copied };
  return { ...read, row: { ...read.row, ...said, ...hashed } };
}

/** Rows first, then all of them in one transaction: a failure leaves the catalogue as it was. */
async function importPaths(context: EngineContext, paths: string[], copy: boolean): Promise<ImportVerdict[]> {
  const { store, events, catalogue } = context;
  const verdicts = await inspectPaths(paths);
  const read = await Promise.all(
    verdicts.map((verdict) => (verdict.verdict === 'accepted' ? readForImport(verdict.path) : Promise.resolve(null))),
  );
  const imported: (ReadCheckpoint & { id: string })[] = [];
  const answers = store.transaction(() => {
    const rows = verdicts.map((verdict, index): ImportVerdict => {
      const one = read[index];
      if (!one) return verdict;
      const known = withKnown(context, one);
      const id = store.checkpoints.put(known.row);
      imported.push({ ...known, id });
      return { ...verdict, checkpointId: id };
    });
    guessLineage(store, imported);
    return rows;
  });
  if (imported.length === 0) return answers;
  events.publish({ type: 'checkpoints' });
  const checkpoints = imported.flatMap(({ id }) => store.checkpoints.get(id) ?? []);
  const copying = new Set(copy ? checkpoints.filter((one) => catalogue.copy(one) !== null).map(({ id }) => id) : []);
  // A copy is hashed when it is there: one pass less over a disk that is busy.
  catalogue.hash(checkpoints.filter(({ id, contentHash }) => contentHash === null && !copying.has(id)));
  return answers;
}

function update({ store, events }: EngineContext, ids: string[], patch: CheckpointPatch): Checkpoint[] {
  const updated = store.transaction(() =>
    ids.map((id) => {
      checkPatch(store, id, patch);
      store.checkpoints.update(id, patch);
      return store.checkpoints.get(id)!;
    }),
  );
  events.publish({ type: 'checkpoints' });
  return updated;
}

export function checkpointHandlers(context: EngineContext): HandlerGroup {
  const { store, events, catalogue } = context;
  const presence = new FolderPresence(store, () => events.publish({ type: 'checkpoints' }));
  const get = (id: string): Checkpoint => {
    const checkpoint = store.checkpoints.get(id);
    if (!checkpoint)
      throw new AppError('NOT_FOUND', 'This checkpoint is not in the list any more.', { hint: 'Import it again.' });
    return checkpoint;
  };
  const setDeleted = (id: string, deletedAtMs: number | null): Checkpoint => {
    const checkpoint = get(id);
    store.checkpoints.setDeleted(id, deletedAtMs);
    events.publish({ type: 'checkpoints' });
    return checkpoint;
  };
  return {
    'checkpoints.list': async () => {
      await presence.look();
      return store.checkpoints.list();
    },
    'checkpoints.get': ({ id }) => readDetail(store, get(id)),
    'checkpoints.preview': ({ paths }) => inspectPaths(paths),
    'checkpoints.import': ({ paths, copy }) => importPaths(context, paths, copy),
    'checkpoints.remove': ({ id }) => {
      setDeleted(id, Date.now());
      return { ok: true };
    },
    'checkpoints.restore': ({ id }) => setDeleted(id, null),
    'checkpoints.update': ({ ids, patch }) =>
      update(
        context,
        ids.map((id) => get(id).id),
        patch,
      ),
    'checkpoints.hash': ({ ids }) => ({ jobId: catalogue.hash(ids.map(get))?.id ?? null }),
    'checkpoints.verify': ({ id, content }) => verify(context, get(id), content),
    'checkpoints.relink': ({ id, path }) => relink(context, get(id), path),
    'checkpoints.diff': ({ aId, bId }) => diff(context, get(aId), get(bId)),
  };
}
