/** What the data folder holds, and how much of the machine the engine may use. Asked for when the page is open. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { CallInput } from '../../main/contract/api.ts';
import type { EngineSettings, Storage } from '../../main/contract/storage.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { bytes } from '../figures/quantities.ts';
import { useToasts } from './toasts.ts';

export const useSettings = defineStore('settings', () => {
  const storage = shallowRef<Storage | null>(null);
  const engine = shallowRef<EngineSettings | null>(null);

  async function refresh(): Promise<void> {
    [storage.value, engine.value] = await Promise.all([call('app.storage', {}), call('app.settings', {})]);
  }
  // Another window may have changed them.
  onEngineEvent((event) => {
    if (event.type === 'app' && engine.value !== null) void refresh().catch(useToasts().reportOfPage);
  });

  async function clear(kinds: CallInput<'app.clearCaches'>['kinds']): Promise<void> {
    const { freedBytes } = await call('app.clearCaches', { kinds });
    useToasts().show('success', `${bytes(freedBytes)} were freed.`);
    await refresh();
  }
  async function save(next: EngineSettings): Promise<void> {
    engine.value = await call('app.setSettings', next);
  }
  function close(): void {
    storage.value = null;
    engine.value = null;
  }
  return { storage, engine, refresh, clear, save, close };
});
