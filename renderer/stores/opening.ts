/** Whatever is opened: dropped, chosen, typed, given on the command line. Looked at first; the dialog says what it is. */
import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import type { FoundPath, Study } from '../../main/contract/api.ts';
import type { StudySettings } from '../../main/contract/settings.ts';
import { call } from '../engine/engine.ts';
import { useCheckpoints } from './checkpoints.ts';
import { useStudies } from './studies.ts';

/** What the engine takes at once. */
const maxPaths = 200;

export const useOpening = defineStore('opening', () => {
  const checkpoints = useCheckpoints();
  /** Studies, settings and refused files among what was given last; checkpoints are in their own store's review. */
  const found = shallowRef<FoundPath[]>([]);
  /** A path is being asked for. */
  const asking = ref(false);
  /** For the form of a new study, until it takes them. */
  const settings = shallowRef<StudySettings | null>(null);

  async function look(paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    asking.value = false;
    const all = await call('files.look', { paths: paths.slice(0, maxPaths) });
    found.value = all.filter(({ kind }) => kind !== 'checkpoints');
    await checkpoints.look(all.flatMap(({ kind, path }) => (kind === 'checkpoints' ? [path] : [])));
  }

  /** Of a file whose path a browser hides: its text. */
  async function lookAtSettings(name: string, text: string): Promise<void> {
    const read = await call('studies.readSettings', { text });
    found.value = [{ kind: 'settings', path: name, settings: read }];
  }

  function close(): void {
    found.value = [];
    checkpoints.closeReview();
  }

  async function importStudy(path: string): Promise<Study> {
    const study = await call('studies.import', { path });
    await useStudies().refresh();
    return study;
  }

  return { found, asking, settings, look, lookAtSettings, close, importStudy };
});
