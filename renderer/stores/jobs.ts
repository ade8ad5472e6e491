/** The job queue. Events carry whole jobs; after a reconnect the list is asked for again. */
import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import type { Job } from '../../main/contract/api.ts';
import type { Usage } from '../../main/contract/queue.ts';
import { call, onEngineEvent } from '../engine/engine.ts';

export const isActive = (job: Job): boolean => job.state === 'running' || job.state === 'queued';

/** For its badge: a running job that has been asked to stop says so. */
export function shownState({ state, stopping }: Job): string {
  if (stopping === null) return state;
  return stopping === 'paused' ? 'pausing' : 'cancelling';
}

export const useJobs = defineStore('jobs', () => {
  const byId = shallowRef(new Map<string, Job>());
  const loaded = shallowRef(false);
  const queuePaused = shallowRef(false);

  function put(job: Job): void {
    byId.value.set(job.id, job);
    triggerRef(byId);
  }

  async function refresh(): Promise<void> {
    const [jobs, queue] = await Promise.all([call('jobs.list', {}), call('jobs.queue', {})]);
    queuePaused.value = queue.paused;
    byId.value = new Map(jobs.map((job) => [job.id, job]));
    loaded.value = true;
  }

  onEngineEvent((event) => {
    if (event.type === 'job') put(event.job);
    if (event.type === 'queue') queuePaused.value = event.paused;
  });

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));
  const running = computed(() => all.value.filter((job) => job.state === 'running').reverse());
  /** In the order in which they start. */
  const queued = computed(() =>
    all.value
      .filter((job) => job.state === 'queued')
      .sort((a, b) => a.position - b.position || a.createdAtMs - b.createdAtMs),
  );
  const paused = computed(() => all.value.filter((job) => job.state === 'paused'));

  const fetchJob = async (id: string): Promise<void> => put(await call('jobs.get', { id }));
  const cancel = async (id: string): Promise<void> => put(await call('jobs.cancel', { id }));
  const pause = async (id: string): Promise<void> => put(await call('jobs.pause', { id }));
  const resume = async (id: string): Promise<void> => put(await call('jobs.resume', { id }));
  const move = async (id: string, beforeId: string | null): Promise<void> =>
    put(await call('jobs.move', { id, beforeId }));
  async function pauseQueue(isPaused: boolean): Promise<void> {
    queuePaused.value = (await call('jobs.pauseQueue', { paused: isPaused })).paused;
  }
  const usage = (afterMs: number): Promise<Usage> => call('jobs.usage', { afterMs });
  const folder = (id: string): Promise<{ path: string; bytes: number }> => call('jobs.folder', { id });
  const log = (id: string): Promise<{ text: string; truncated: boolean }> => call('jobs.log', { id });

  return {
    byId,
    loaded,
    all,
    running,
    queued,
    paused,
    queuePaused,
    refresh,
    fetchJob,
    cancel,
    pause,
    resume,
    move,
    pauseQueue,
    usage,
    log,
    folder,
  };
});
