/** Where checkpoints come from, guessed where it is obvious, and checked where the user says it. */
import { dirname } from 'node:path';
import type { Checkpoint, CheckpointPatch } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import { placeInRun } from '../ml/checkpoints/trajectory.ts';
import type { Store } from '../store/store.ts';
import type { ReadCheckpoint } from './catalogue.ts';

/** Two runs may have the same name; the folder above then tells them apart. */
export function trajectoryOf({ row, runFolder }: ReadCheckpoint, store: Store): string | null {
  const { trajectory } = row;
  if (trajectory === null || runFolder === null) return trajectory;
  const others = store.checkpoints
    .ofTrajectory(trajectory)
    .filter(({ folder, copied, studyId }) => !copied && studyId === null && folder !== row.folder);
  const isOtherRun = others.length > 0 && others.every(({ folder }) => runFolderOf(folder) !== runFolder);
  return isOtherRun ? `${dirname(runFolder).split(/[\\/]/).at(-1)}/${trajectory}` : trajectory;
}

const runFolderOf = (folder: string): string | null => placeInRun({ location: folder })?.runFolder ?? null;

/**
 * Fills in what nobody has said yet: the base that a configuration names (`_name_or_path`, as transformers writes it) when it
 * is in the catalogue, else the checkpoint at step 0 of the same run.
 */
export function guessLineage(store: Store, imported: readonly (ReadCheckpoint & { id: string })[]): void {
  const catalogue = store.checkpoints.list();
  const byId = new Map(catalogue.map((one) => [one.id, one]));
  const byPlace = new Map(catalogue.flatMap((one) => [[one.name, one] as const, [one.folder, one] as const]));
  const say = (one: Checkpoint, base: Checkpoint | undefined): void => {
    if (!base || base.id === one.id || one.parentId !== null || one.referenceId !== null) return;
    store.checkpoints.update(one.id, { parentId: base.id, referenceId: base.id });
  };
  for (const { id, config } of imported) {
    const named = config['_name_or_path'];
    const one = byId.get(id);
    if (one && typeof named === 'string') say(one, byPlace.get(named.replace(/[\\/]+$/, '')));
  }
  for (const trajectory of new Set(imported.map(({ row }) => row.trajectory))) {
    if (trajectory === null) continue;
    const steps = store.checkpoints.ofTrajectory(trajectory).filter(({ studyId }) => studyId === null);
    const start = steps.find(({ step }) => step === 0);
    for (const one of steps) say(one, start);
  }
}

/** @throws INVALID_REQUEST the other checkpoint is not there, or the lineage would go in a circle */
export function checkPatch(store: Store, id: string, { referenceId, parentId }: CheckpointPatch): void {
  for (const other of [referenceId, parentId]) {
    if (typeof other !== 'string') continue;
    if (other === id)
      throw invalid('A checkpoint cannot be its own reference or origin.', 'Choose another checkpoint.');
    if (!store.checkpoints.get(other))
      throw invalid('The chosen checkpoint is not in the list any more.', 'Choose again.');
  }
  for (let above = parentId; typeof above === 'string'; above = store.checkpoints.get(above)?.parentId)
    if (above === id)
      throw invalid('A checkpoint cannot come from one that was trained from it.', 'Choose an earlier checkpoint.');
}

const invalid = (fact: string, hint: string): AppError => new AppError('INVALID_REQUEST', fact, { hint });
