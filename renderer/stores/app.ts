/** Connection and what the engine says of itself: compute, disk, notices. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { AppState, ComputeChoice } from '../../main/contract/api.ts';
import type { AppError } from '../../main/contract/errors.ts';
import { call, onConnectionState, onEngineEvent } from '../engine/engine.ts';
import type { ConnectionState } from '../engine/EngineClient.ts';
import { useToasts } from './toasts.ts';

export const useApp = defineStore('app', () => {
  const connection = ref<ConnectionState>('connecting');
  const refusal = shallowRef<AppError | null>(null);
  const state = shallowRef<AppState | null>(null);
  /** Grows with every (re)connection: whoever shows data asks again. */
  const connections = ref(0);

  async function refresh(): Promise<void> {
    state.value = await call('app.state', {});
  }

  onConnectionState((next, why) => {
    connection.value = next;
    refusal.value = why;
    if (next !== 'open') return;
    connections.value += 1;
    void refresh().catch(useToasts().reportOfPage);
  });
  onEngineEvent((event) => {
    if (event.type === 'app') void refresh().catch(useToasts().reportOfPage);
  });

  async function dismissNotice(id: string): Promise<void> {
    if (state.value !== null) {
      const notices = state.value.notices.filter((notice) => notice.id !== id);
      state.value = { ...state.value, notices };
    }
    await call('app.dismissNotice', { id });
  }
  const diagnostics = async (): Promise<string> => (await call('app.diagnostics', {})).text;
  const selfTest = async (): Promise<string> => (await call('app.selfTest', {})).jobId;
  const chooseCompute = (choice: ComputeChoice): Promise<unknown> => call('app.chooseCompute', choice);
  const notices = computed(() => state.value?.notices ?? []);
  const onWasm = computed(() => state.value?.compute.backend === 'wasm');

  return {
    connection,
    refusal,
    state,
    connections,
    notices,
    onWasm,
    refresh,
    dismissNotice,
    diagnostics,
    selfTest,
    chooseCompute,
  };
});
