/** All studies, by id. An event names a study and its revision; the study itself is fetched, at most twice a second. */
import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import type { CallAnswer, CallInput, Study } from '../../main/contract/api.ts';
import { resumableStates } from '../../main/contract/queue.ts';
import type { StudySettings, StudySettingsInput } from '../../main/contract/settings.ts';
import type { StudyResult } from '../../main/contract/studyResult.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { useJobs } from './jobs.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

export type Estimate = CallAnswer<'studies.estimate'>;

const refetchEveryMs = 500;

export const useStudies = defineStore('studies', () => {
  const byId = shallowRef(new Map<string, Study>());
  const loaded = shallowRef(false);
  const stale = new Set<string>();

  function put(study: Study): Study {
    byId.value.set(study.id, study);
    triggerRef(byId);
    return study;
  }

  async function refresh(): Promise<void> {
    const studies = await call('studies.list', {});
    byId.value = new Map(studies.map((study) => [study.id, study]));
    loaded.value = true;
  }

  const refetch = throttled(async () => {
    const ids = [...stale];
    stale.clear();
    for (const id of ids) await fetchStudy(id).catch(useToasts().reportOfPage);
  }, refetchEveryMs);

  onEngineEvent((event) => {
    if (event.type !== 'study' || byId.value.get(event.id)?.revision === event.revision) return;
    stale.add(event.id);
    refetch();
  });

  const all = computed(() => [...byId.value.values()].sort((a, b) => b.createdAtMs - a.createdAtMs));

  const fetchStudy = async (id: string): Promise<Study> => put(await call('studies.get', { id }));
  const result = (id: string): Promise<StudyResult> => call('studies.result', { id });
  const estimate = (settings: StudySettingsInput): Promise<Estimate> => call('studies.estimate', settings);
  /** Reads a file of SFT data as a study would. */
  const checkSftData = (path: string): Promise<CallAnswer<'sftData.check'>> => call('sftData.check', { path });
  /** Some of the lines that a study with this task and seed learns from. */
  const sftDataLines = (from: CallInput<'sftData.lines'>): Promise<CallAnswer<'sftData.lines'>> =>
    call('sftData.lines', from);
  /** The copy brings jobs of its own, which no event tells. */
  async function openSample(): Promise<Study> {
    const study = put(await call('studies.openSample', {}));
    await useJobs().refresh();
    return study;
  }
  const start = async (id: string): Promise<Study> => put(await call('studies.start', { id }));
  const cancel = async (id: string): Promise<Study> => put(await call('studies.cancel', { id }));
  const resume = async (id: string): Promise<Study> => put(await call('studies.resume', { id }));
  /** This stage and all that depend on it. */
  const rerun = async (id: string, stageId: string): Promise<Study> =>
    put(await call('studies.rerun', { id, stageId }));
  const settingsAsText = async (settings: StudySettings): Promise<string> =>
    (await call('studies.writeSettings', { settings })).text;
  const settingsFromText = (text: string): Promise<StudySettings> => call('studies.readSettings', { text });
  const rename = async (id: string, name: string): Promise<Study> => put(await call('studies.rename', { id, name }));

  /** The same settings find the same study unless `new`; a finished one is shown as it is. */
  async function createAndStart(settings: StudySettingsInput, options: { new: boolean }): Promise<Study> {
    const study = put(await call('studies.create', { settings, new: options.new }));
    if (study.state === 'draft') return start(study.id);
    if (resumableStates.includes(study.state)) return resume(study.id);
    return study;
  }

  async function remove(study: Study): Promise<void> {
    await call('studies.remove', { id: study.id });
    byId.value.delete(study.id);
    triggerRef(byId);
    const undo = async (): Promise<void> => void put(await call('studies.restore', { id: study.id }));
    useToasts().show('info', `Removed "${study.name}".`, { action: { label: 'Undo', run: undo } });
  }

  return {
    byId,
    loaded,
    all,
    refresh,
    fetchStudy,
    result,
    estimate,
    checkSftData,
    sftDataLines,
    openSample,
    createAndStart,
    start,
    cancel,
    resume,
    rerun,
    settingsAsText,
    settingsFromText,
    rename,
    remove,
  };
});
