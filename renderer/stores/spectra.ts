/**
 * Comparisons of checkpoints: the list, the one that is open with the rows it has so far, and the curves of matrices
 * looked at. An event names a comparison; what it has become is fetched, throttled, because rows may arrive fast.
 */
import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import type { CallAnswer, CallInput } from '../../main/contract/api.ts';
import type { SpectralComparison, SpectralResult } from '../../main/contract/spectral.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';
import type { CellAddress } from './ui.ts';

export type SpectraOrderInput = CallInput<'spectra.start'>;
export type SpectraEstimate = CallAnswer<'spectra.estimate'>;
export type MatrixInDetail = CallAnswer<'spectra.matrix'>;

const refetchEveryMs = 700;
/** Matrices whose curves stay in memory: a few hundred kB each for a large model. */
const keptMatrices = 48;

export const useSpectra = defineStore('spectra', () => {
  const byId = shallowRef(new Map<string, SpectralComparison>());
  const loaded = shallowRef(false);
  /** The comparison that is open, or null while it loads. */
  const result = shallowRef<SpectralResult | null>(null);
  /** Whether the open comparison was looked for and is not there. */
  const absent = shallowRef(false);
  const matrices = new Map<string, MatrixInDetail>();
  let openId: string | null = null;

  function put(comparison: SpectralComparison): SpectralComparison {
    byId.value.set(comparison.id, comparison);
    triggerRef(byId);
    return comparison;
  }

  async function refresh(): Promise<void> {
    const list = await call('spectra.list', {});
    byId.value = new Map(list.map((comparison) => [comparison.id, comparison]));
    loaded.value = true;
  }

  async function fetchOpen(): Promise<void> {
    const id = openId;
    if (id === null) return;
    const next = await call('spectra.get', { id });
    if (openId !== id) return;
    result.value = next;
    const { rows: _, provenance: __, ...comparison } = next;
    put(comparison);
  }

  const refetchList = throttled(() => refresh().catch(useToasts().reportOfPage), refetchEveryMs);
  const refetchOpen = throttled(async () => {
    const startMs = performance.now();
    await fetchOpen().catch(useToasts().reportOfPage);
    // A long trajectory is large: asking for it takes a fifth of the time at most.
    await new Promise((resolve) => setTimeout(resolve, 4 * (performance.now() - startMs)));
  }, refetchEveryMs);
  onEngineEvent((event) => {
    if (event.type !== 'spectra') return;
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

  /** Curves of one matrix; those looked at lately are answered at once. @throws NOT_FOUND it is not done, or gone */
  async function matrix({ id, target, weight }: CellAddress): Promise<MatrixInDetail> {
    const key = JSON.stringify([id, target, weight]);
    const detail = matrices.get(key) ?? (await call('spectra.matrix', { id, target, weight }));
    matrices.delete(key);
    matrices.set(key, detail);
    for (const oldest of matrices.keys()) {
      if (matrices.size <= keptMatrices) break;
      matrices.delete(oldest);
    }
    return detail;
  }

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));

  const estimate = (order: SpectraOrderInput): Promise<SpectraEstimate> => call('spectra.estimate', order);
  const start = async (order: SpectraOrderInput): Promise<SpectralComparison> =>
    put(await call('spectra.start', order));
  /** The same order again: it goes on where it stopped. */
  const resume = ({ reference, targets, restoration, settings }: SpectralComparison): Promise<SpectralComparison> =>
    start({
      referenceId: reference.id,
      targetIds: targets.map(({ id }) => id),
      restorationId: restoration?.id ?? null,
      settings,
    });

  async function remove(comparison: SpectralComparison): Promise<void> {
    await call('spectra.remove', { id: comparison.id });
    byId.value.delete(comparison.id);
    triggerRef(byId);
    const undo = async (): Promise<void> => void put(await call('spectra.restore', { id: comparison.id }));
    useToasts().show('info', 'Removed the comparison.', { action: { label: 'Undo', run: undo } });
  }

  return { byId, loaded, result, absent, all, refresh, open, close, matrix, estimate, start, resume, remove };
});
