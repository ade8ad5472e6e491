/** Studies whose checkpoints can be ablated, and the checkpoints that the chosen one names. */
import { computed, shallowRef, watch, type Ref } from 'vue';
import type { Study } from '../../../main/contract/api.ts';
import { useApp } from '../../stores/app.ts';
import { useCheckpoints } from '../../stores/checkpoints.ts';
import { useStudies } from '../../stores/studies.ts';
import { useSweeps, type StudyCheckpointIds } from '../../stores/sweeps.ts';
import { useToasts } from '../../stores/toasts.ts';

/** Studies with a checkpoint in the catalogue, newest first. */
export function useAblatableStudies(): Ref<Study[]> {
  const studies = useStudies();
  const checkpoints = useCheckpoints();
  return computed(() => {
    const withCheckpoints = new Set(checkpoints.all.map(({ studyId }) => studyId));
    return studies.all.filter(({ id }) => withCheckpoints.has(id));
  });
}

/** Null while they are looked up, and where no study is chosen. */
export function useStudyCheckpoints(studyId: Ref<string>, seed: Ref<number>): Ref<StudyCheckpointIds | null> {
  const app = useApp();
  const sweeps = useSweeps();
  const studies = useStudies();
  const { load } = useToasts();
  const named = shallowRef<StudyCheckpointIds | null>(null);
  const study = computed(() => studies.byId.get(studyId.value) ?? null);
  watch(
    // A study that goes on finds more of its checkpoints.
    [studyId, seed, () => study.value?.revision, () => app.connections] as const,
    async ([id, chosenSeed], before) => {
      if (before[0] !== id || before[1] !== chosenSeed) named.value = null;
      if (study.value === null) return;
      await load(async () => {
        const answer = await sweeps.studyCheckpoints(id, chosenSeed);
        if (studyId.value === id && seed.value === chosenSeed) named.value = answer;
      });
    },
    { immediate: true },
  );
  return named;
}
