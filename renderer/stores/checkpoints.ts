/** The catalogue of checkpoints, and importing into it. */
import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import type { Checkpoint, CheckpointDetail, CheckpointPatch, ImportVerdict } from '../../main/contract/api.ts';
import type { CheckpointDiff, Verification } from '../../main/contract/catalogue.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

/** An import as the dialog shows it: first what would happen, then what happened. */
export interface ImportReview {
  paths: string[];
  phase: 'looking' | 'preview' | 'importing' | 'done';
  verdicts: ImportVerdict[];
}

export const useCheckpoints = defineStore('checkpoints', () => {
  const byId = shallowRef(new Map<string, Checkpoint>());
  const loaded = shallowRef(false);
  const review = shallowRef<ImportReview | null>(null);

  async function refresh(): Promise<void> {
    const list = await call('checkpoints.list', {});
    byId.value = new Map(list.map((checkpoint) => [checkpoint.id, checkpoint]));
    loaded.value = true;
  }
  const refetch = throttled(() => refresh().catch(useToasts().reportOfPage), 500);
  onEngineEvent((event) => {
    if (event.type === 'checkpoints') refetch();
  });

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.importedAtMs - a.importedAtMs));
  const detail = (id: string): Promise<CheckpointDetail> => call('checkpoints.get', { id });

  /** Looks at the paths and shows what importing them would do. */
  async function look(paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    const looking: ImportReview = { paths, phase: 'looking', verdicts: [] };
    review.value = looking;
    const isWanted = (): boolean => review.value === looking;
    try {
      const verdicts = await call('checkpoints.preview', { paths: paths.slice(0, 200) });
      // Closed meanwhile, or something else is looked at.
      if (isWanted()) review.value = { paths, phase: 'preview', verdicts };
    } catch (error) {
      if (isWanted()) review.value = null;
      throw error;
    }
  }

  /** The good ones are imported, each bad one is listed with its reason. */
  async function importReviewed(copy: boolean): Promise<void> {
    const current = review.value;
    if (current === null) return;
    review.value = { ...current, phase: 'importing' };
    try {
      const verdicts = await call('checkpoints.import', { paths: current.paths.slice(0, 200), copy });
      review.value = { ...current, phase: 'done', verdicts };
      await refresh();
    } catch (error) {
      review.value = { ...current, phase: 'preview' };
      throw error;
    }
  }

  function closeReview(): void {
    review.value = null;
  }

  async function remove(checkpoint: Checkpoint): Promise<void> {
    await call('checkpoints.remove', { id: checkpoint.id });
    byId.value.delete(checkpoint.id);
    triggerRef(byId);
    const undo = async (): Promise<void> => {
      const restored = await call('checkpoints.restore', { id: checkpoint.id });
      byId.value.set(restored.id, restored);
      triggerRef(byId);
    };
    useToasts().show('info', `Removed "${checkpoint.name}" from the catalogue.`, {
      action: { label: 'Undo', run: undo },
    });
  }

  function put(checkpoints: Checkpoint[]): void {
    for (const checkpoint of checkpoints) byId.value.set(checkpoint.id, checkpoint);
    triggerRef(byId);
  }
  const update = async (ids: string[], patch: CheckpointPatch): Promise<void> =>
    put(await call('checkpoints.update', { ids, patch }));
  const relink = async (id: string, path: string): Promise<void> =>
    put([await call('checkpoints.relink', { id, path })]);
  const verify = (id: string, content: boolean): Promise<Verification> => call('checkpoints.verify', { id, content });
  const hash = (ids: string[]): Promise<{ jobId: string | null }> => call('checkpoints.hash', { ids });
  const diff = (aId: string, bId: string): Promise<CheckpointDiff> => call('checkpoints.diff', { aId, bId });

  const importing = { review, look, importReviewed, closeReview };
  return { byId, loaded, all, refresh, detail, remove, update, relink, verify, hash, diff, ...importing };
});
