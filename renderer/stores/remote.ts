/** Another machine's engine in the desktop window: going there, the state of its tunnel, coming back. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import type { RemoteTarget, SshTarget, TunnelFault } from '../../main/contract/desktop.ts';
import type { AppErrorShape } from '../../main/contract/errors.ts';
import { reconnectNow } from '../engine/engine.ts';

export const useRemote = defineStore('remote', () => {
  const desktop = window.rotascope;
  /** The machine whose engine this window shows; null: this one, or a browser. */
  const machine = desktop?.remote ?? null;
  const fault = shallowRef<TunnelFault>(null);
  const recents = shallowRef<SshTarget[]>([]);
  const connecting = ref(false);
  /** Why the last attempt did not succeed. */
  const refusal = shallowRef<AppErrorShape | null>(null);

  desktop?.onTunnel((next) => {
    fault.value = next;
    if (next === null) reconnectNow();
  });

  async function connect(target: RemoteTarget): Promise<void> {
    connecting.value = true;
    refusal.value = null;
    const why = (await desktop?.connectRemote(target)) ?? null;
    connecting.value = false;
    refusal.value = why?.code === 'CANCELLED' ? null : why;
  }
  const leave = async (): Promise<void> => desktop?.leaveRemote();
  async function retry(): Promise<void> {
    await desktop?.retryRemote();
    reconnectNow();
  }
  async function refresh(): Promise<void> {
    if (machine === null) recents.value = (await desktop?.recentRemotes()) ?? [];
  }
  async function forget(host: string): Promise<void> {
    recents.value = (await desktop?.forgetRemote(host)) ?? [];
  }
  return { machine, fault, recents, connecting, refusal, connect, leave, retry, refresh, forget };
});
