/** Backup, restore and what the next start of the engine will do to the data folder. Asked for while Settings is open. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { CallAnswer, Job, JobKind } from '../../main/contract/api.ts';
import type { BackupContents, MovePlan, Prepared } from '../../main/contract/dataFolder.ts';
import { call, onConnectionState, onEngineEvent } from '../engine/engine.ts';
import { useJobs } from './jobs.ts';
import { useToasts } from './toasts.ts';

export const useDataFolder = defineStore('dataFolder', () => {
  const jobs = useJobs();
  const sizes = shallowRef<CallAnswer<'backup.sizes'> | null>(null);
  const prepared = shallowRef<Prepared | null>(null);
  const restarting = ref(false);

  async function refresh(): Promise<void> {
    [sizes.value, prepared.value] = await Promise.all([call('backup.sizes', {}), call('data.prepared', {})]);
  }
  onEngineEvent((event) => {
    const unpacked = event.type === 'job' && event.job.kind === 'restore' && event.job.endedAtMs !== null;
    // A copy to another disk says so when it waits for the start.
    if ((unpacked || event.type === 'app') && prepared.value !== null) void refresh().catch(useToasts().reportOfPage);
  });
  // Everything may be other than before: the page begins anew.
  onConnectionState((state) => {
    if (state === 'open' && restarting.value) window.location.reload();
  });

  const latest = (kind: JobKind) => computed((): Job | null => jobs.all.find((job) => job.kind === kind) ?? null);

  async function backUp(path: string, withHeavy: boolean, replace: boolean): Promise<void> {
    const { jobId } = await call('backup.start', { path, withHeavy, replace });
    await jobs.fetchJob(jobId);
  }
  const look = (path: string): Promise<BackupContents> => call('backup.look', { path });
  async function restore(path: string): Promise<void> {
    const { jobId } = await call('restore.start', { path });
    await Promise.all([jobs.fetchJob(jobId), refresh()]);
  }
  const lookMove = (to: string): Promise<MovePlan> => call('move.look', { folder: to });
  async function move(to: string): Promise<void> {
    const { jobId } = await call('move.start', { folder: to });
    await (jobId === null ? refresh() : jobs.fetchJob(jobId));
  }
  async function discard(): Promise<void> {
    await call('data.discard', {});
    await refresh();
  }
  async function restart(): Promise<void> {
    await call('app.restart', {});
    restarting.value = true;
  }
  const removeReplaced = async (): Promise<number> => (await call('data.removeReplaced', {})).freedBytes;
  function close(): void {
    sizes.value = null;
    prepared.value = null;
  }
  return {
    sizes,
    prepared,
    restarting,
    latestBackup: latest('backup'),
    latestRestore: latest('restore'),
    latestMove: latest('moveData'),
    refresh,
    backUp,
    look,
    restore,
    lookMove,
    move,
    discard,
    restart,
    removeReplaced,
    close,
  };
});
