/**
 * Ablations: the list of sweeps, and the one that is open with its points. An event names a sweep; what it has become is
 * fetched, throttled, because points may arrive faster than they can be drawn.
 */
import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import type { CallAnswer, CallInput } from '../../main/contract/api.ts';
import type { Sweep, SweepPointResult, SweepResult } from '../../main/contract/sweeps.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

export type SweepOrderInput = CallInput<'sweeps.start'>;
export type SweepPlan = CallAnswer<'sweeps.plan'>;
export type StudyCheckpointIds = CallAnswer<'sweeps.studyCheckpoints'>;

const refetchEveryMs = 600;

export const useSweeps = defineStore('sweeps', () => {
  const byId = shallowRef(new Map<string, Sweep>());
  const loaded = shallowRef(false);
  /** The sweep that is open, or null while it loads. */
  const result = shallowRef<SweepResult | null>(null);
  /** Whether the open sweep was looked for and is not there. */
  const absent = shallowRef(false);
  let openId: string | null = null;

  function put(sweep: Sweep): Sweep {
    byId.value.set(sweep.id, sweep);
    triggerRef(byId);
    return sweep;
  }

  async function refresh(): Promise<void> {
    const list = await call('sweeps.list', {});
    byId.value = new Map(list.map((sweep) => [sweep.id, sweep]));
    loaded.value = true;
  }

  async function fetchOpen(): Promise<void> {
    const id = openId;
    if (id === null) return;
    const next = await call('sweeps.get', { id });
    if (openId !== id) return;
    result.value = next;
    const { points: _, provenance: __, ...sweep } = next;
    put(sweep);
  }

  const refetchList = throttled(() => refresh().catch(useToasts().reportOfPage), refetchEveryMs);
  const refetchOpen = throttled(() => fetchOpen().catch(useToasts().reportOfPage), refetchEveryMs);
  onEngineEvent((event) => {
    if (event.type !== 'sweep') return;
    if (event.id === openId) refetchOpen();
    else refetchList();
  });

  /** @throws NOT_FOUND also noted in `absent` */
  async function open(id: string): Promise<void> {
    if (result.value?.id !== id) result.value = null;
    openId = id;
    absent.value = false;
    try {
      await fetchOpen();
    } catch (error) {
      absent.value = openId === id && result.value === null;
      throw error;
    }
  }

  function close(): void {
    openId = null;
    result.value = null;
  }

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));

  const plan = (order: SweepOrderInput): Promise<SweepPlan> => call('sweeps.plan', order);
  const start = async (order: SweepOrderInput): Promise<Sweep> => put(await call('sweeps.start', order));
  /** With the record of every edited matrix. */
  const point = (id: string, key: string): Promise<SweepPointResult> => call('sweeps.point', { id, key });
  const exportPoint = (input: CallInput<'sweeps.exportPoint'>): Promise<CallAnswer<'sweeps.exportPoint'>> =>
    call('sweeps.exportPoint', input);
  const studyCheckpoints = (studyId: string, seed: number): Promise<StudyCheckpointIds> =>
    call('sweeps.studyCheckpoints', { studyId, seed });

  async function remove(sweep: Sweep): Promise<void> {
    await call('sweeps.remove', { id: sweep.id });
    byId.value.delete(sweep.id);
    triggerRef(byId);
    const undo = async (): Promise<void> => void put(await call('sweeps.restore', { id: sweep.id }));
    useToasts().show('info', `Removed "${sweep.name}".`, { action: { label: 'Undo', run: undo } });
  }

  return {
    byId,
    loaded,
    result,
    absent,
    all,
    refresh,
    open,
    close,
    plan,
    start,
    point,
    exportPoint,
    studyCheckpoints,
    remove,
  };
});
