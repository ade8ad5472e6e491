/** The job queue. Events carry whole jobs; after a reconnect the list is asked for again. */
import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import type { Job } from '../../main/contract/api.ts';
import { call, onEngineEvent } from '../engine/engine.ts';

export const isActive = (job: Job): boolean => job.state === 'running' || job.state === 'queued';

export const useJobs = defineStore('jobs', () => {
  const byId = shallowRef(new Map<string, Job>());
  const loaded = shallowRef(false);

  function put(job: Job): void {
    byId.value.set(job.id, job);
    triggerRef(byId);
  }

  async function refresh(): Promise<void> {
    const jobs = await call('jobs.list', {});
    byId.value = new Map(jobs.map((job) => [job.id, job]));
    loaded.value = true;
  }

  onEngineEvent((event) => {
    if (event.type === 'job') put(event.job);
  });

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));
  const running = computed(() => all.value.filter((job) => job.state === 'running').reverse());
  const queued = computed(() => all.value.filter((job) => job.state === 'queued').reverse());

  const fetchJob = async (id: string): Promise<void> => put(await call('jobs.get', { id }));
  const cancel = async (id: string): Promise<void> => put(await call('jobs.cancel', { id }));
  const resume = async (id: string): Promise<void> => put(await call('jobs.resume', { id }));
  const folder = (id: string): Promise<{ path: string; bytes: number }> => call('jobs.folder', { id });
  const log = (id: string): Promise<{ text: string; truncated: boolean }> => call('jobs.log', { id });

  return { byId, loaded, all, running, queued, refresh, fetchJob, cancel, resume, log, folder };
});
