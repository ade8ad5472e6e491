/** Calls about checkpoints: the catalogue and what may come into it. */
import { AppError } from '../contract/errors.ts';
import type { Checkpoint, ImportVerdict } from '../contract/api.ts';
import { inspectPaths } from '../ml/checkpoints/inspectPaths.ts';
import { readCatalogueRow, readDetail } from './catalogue.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';

/** Rows first, then all of them in one transaction: a failure leaves the catalogue as it was. */
async function importPaths({ store, events }: EngineContext, paths: string[]): Promise<ImportVerdict[]> {
  const verdicts = await inspectPaths(paths);
  const rows = await Promise.all(
    verdicts.map((verdict) =>
      verdict.verdict === 'accepted' ? readCatalogueRow(verdict.path) : Promise.resolve(null),
    ),
  );
  const imported = store.transaction(() =>
    verdicts.map((verdict, index): ImportVerdict => {
      const row = rows[index];
      if (!row) return verdict;
      const known = store.checkpoints.byFolder(row.folder);
      // A study's own checkpoint keeps its name, seed and step.
      const origin = known?.studyId
        ? { name: known.name, studyId: known.studyId, seed: known.seed, step: known.step }
        : {};
      return { ...verdict, checkpointId: store.checkpoints.put({ ...row, ...origin }) };
    }),
  );
  if (rows.some((row) => row !== null)) events.publish({ type: 'checkpoints' });
  return imported;
}

export function checkpointHandlers(context: EngineContext): HandlerGroup {
  const { store, events } = context;
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
    'checkpoints.list': () => store.checkpoints.list(),
    'checkpoints.get': ({ id }) => readDetail(get(id)),
    'checkpoints.preview': ({ paths }) => inspectPaths(paths),
    'checkpoints.import': ({ paths }) => importPaths(context, paths),
    'checkpoints.remove': ({ id }) => {
      setDeleted(id, Date.now());
      return { ok: true };
    },
    'checkpoints.restore': ({ id }) => setDeleted(id, null),
  };
}
