/**
 * What the stores of comparisons and ablations share: the list, and the one that is open with the rows it has so far. An
 * event names one of them; what it has become is fetched, throttled, because rows may arrive faster than they are drawn.
 */
import { computed, shallowRef, triggerRef } from 'vue';
import type { ComputedRef, ShallowRef } from 'vue';
import type { EngineEvent } from '../../main/contract/api.ts';
import { onEngineEvent } from '../engine/engine.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

const refetchEveryMs = 700;

interface Source<Item, Result> {
  /** Type of the events that name one. */
  event: Extract<EngineEvent, { id: string }>['type'];
  list(): Promise<Item[]>;
  get(id: string): Promise<Result>;
  /** What the list holds of a result. */
  itemOf(result: Result): Item;
  remove(id: string): Promise<unknown>;
  restore(id: string): Promise<Item>;
}

export interface ResultList<Item, Result> {
  byId: ShallowRef<Map<string, Item>>;
  loaded: ShallowRef<boolean>;
  /** The one that is open, or null while it loads. */
  result: ShallowRef<Result | null>;
  /** Whether the open one was looked for and is not there. */
  absent: ShallowRef<boolean>;
  /** Newest first. */
  all: ComputedRef<Item[]>;
  put(item: Item): Item;
  refresh(): Promise<void>;
  /** @throws NOT_FOUND also noted in `absent` */
  open(id: string): Promise<void>;
  close(): void;
  /** @param text what the toast beside Undo says */
  remove(id: string, text: string): Promise<void>;
}

export function resultList<Item extends { id: string; createdAtMs: number }, Result extends Item>(
  source: Source<Item, Result>,
): ResultList<Item, Result> {
  const byId = shallowRef(new Map<string, Item>());
  const loaded = shallowRef(false);
  const result: ShallowRef<Result | null> = shallowRef(null);
  const absent = shallowRef(false);
  let openId: string | null = null;

  function put(item: Item): Item {
    byId.value.set(item.id, item);
    triggerRef(byId);
    return item;
  }

  async function refresh(): Promise<void> {
    const list = await source.list();
    byId.value = new Map(list.map((item) => [item.id, item]));
    loaded.value = true;
  }

  async function fetchOpen(): Promise<void> {
    const id = openId;
    if (id === null) return;
    const next = await source.get(id);
    if (openId !== id) return;
    result.value = next;
    put(source.itemOf(next));
  }

  const refetchList = throttled(() => refresh().catch(useToasts().reportOfPage), refetchEveryMs);
  const refetchOpen = throttled(async () => {
    const startMs = performance.now();
    await fetchOpen().catch(useToasts().reportOfPage);
    // A long trajectory is large: asking for it takes a fifth of the time at most.
    await new Promise((resolve) => setTimeout(resolve, 4 * (performance.now() - startMs)));
  }, refetchEveryMs);
  onEngineEvent((event) => {
    if (event.type !== source.event) return;
    if (event.id === openId) refetchOpen();
    else refetchList();
  });

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

  async function remove(id: string, text: string): Promise<void> {
    await source.remove(id);
    byId.value.delete(id);
    triggerRef(byId);
    const undo = async (): Promise<void> => void put(await source.restore(id));
    useToasts().show('info', text, { action: { label: 'Undo', run: undo } });
  }

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));

  return { byId, loaded, result, absent, all, put, refresh, open, close, remove };
}
