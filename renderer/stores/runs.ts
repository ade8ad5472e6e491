/** All training runs, across studies; their curves are asked for when they are drawn. */
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import type { CallInput } from '../../main/contract/api.ts';
import { runKinds, type Run, type RunCurve } from '../../main/contract/runs.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

const refetchEveryMs = 2000;
const isRunKind = (kind: string): boolean => runKinds.some((one) => one === kind);

export const useRuns = defineStore('runs', () => {
  const all = shallowRef<Run[]>([]);
  const loaded = shallowRef(false);
  /** Whether the list is that of the trash. */
  const trash = shallowRef(false);
  /** Nothing is asked for while nobody looks. */
  let isOpen = false;

  async function refresh(): Promise<void> {
    const wanted = trash.value;
    const list = await call('runs.list', { trash: wanted });
    if (wanted !== trash.value) return;
    all.value = list;
    loaded.value = true;
  }
  const refetch = throttled(() => refresh().catch(useToasts().reportOfPage), refetchEveryMs);
  onEngineEvent((event) => {
    if (!isOpen) return;
    if (event.type === 'runs' || (event.type === 'job' && isRunKind(event.job.kind))) refetch();
  });

  async function open(inTrash: boolean): Promise<void> {
    isOpen = true;
    if (trash.value !== inTrash) loaded.value = false;
    trash.value = inTrash;
    await refresh();
  }
  function close(): void {
    isOpen = false;
  }

  const byId = computed(() => new Map(all.value.map((run) => [run.id, run])));
  const metrics = (ids: string[]): Promise<string[]> => call('runs.metrics', { ids });
  const curves = (input: CallInput<'runs.curves'>): Promise<RunCurve[]> => call('runs.curves', input);
  const settings = (ids: string[]) => call('runs.settings', { ids });
  const update = async (input: CallInput<'runs.update'>): Promise<void> => {
    await call('runs.update', input);
    await refresh();
  };
  const restore = async (ids: string[]): Promise<void> => {
    await call('runs.restore', { ids });
    await refresh();
  };
  async function remove(ids: string[]): Promise<void> {
    await call('runs.remove', { ids });
    await refresh();
    const text = `Removed ${ids.length === 1 ? 'one run' : `${ids.length.toLocaleString('en')} runs`} from the list.`;
    useToasts().show('info', text, { action: { label: 'Undo', run: () => restore(ids) } });
  }

  return { all, byId, loaded, trash, open, close, metrics, curves, settings, update, remove, restore };
});
