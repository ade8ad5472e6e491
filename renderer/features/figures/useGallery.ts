/** The figures of the study that is open, live (studyGallery.ts). */
import { computed, shallowRef, watch, type ComputedRef } from 'vue';
import type { Study } from '../../../main/contract/api.ts';
import type { SweepResult } from '../../../main/contract/sweeps.ts';
import type { SourcedFigure } from '../../figures/export/figureFiles.ts';
import { useCheckpoints } from '../../stores/checkpoints.ts';
import { useHiddenStates } from '../../stores/hiddenStates.ts';
import { useOpenStudy } from '../../stores/openStudy.ts';
import { useSweeps } from '../../stores/sweeps.ts';
import { useToasts } from '../../stores/toasts.ts';
import { useUi } from '../../stores/ui.ts';
import { newestStates, spectralSeed, studyGallery, sweepsOf } from './studyGallery.ts';

/** @param seed shown, or `allSeeds` */
export function useGallery(study: ComputedRef<Study | null>, seed: ComputedRef<number>): ComputedRef<SourcedFigure[]> {
  const opened = useOpenStudy();
  const sweeps = useSweeps();
  const checkpoints = useCheckpoints();
  const states = useHiddenStates();
  const ui = useUi();
  const { load } = useToasts();
  const ofStudy = shallowRef<SweepResult[]>([]);
  const statesId = shallowRef<string | null>(null);
  const comparedSeed = computed(() => (study.value === null ? 0 : spectralSeed(study.value, seed.value)));

  watch(
    () => [study.value?.id, comparedSeed.value] as const,
    ([id, compared]) =>
      load(async () => {
        ofStudy.value = [];
        statesId.value = null;
        const shown = study.value;
        if (id === undefined || shown === null) return;
        await opened.open(id);
        await opened.showComparisonsOf(compared);
        await sweeps.refresh();
        const own = sweepsOf(shown, sweeps.all, checkpoints.all);
        const results = await Promise.all(own.map((sweep) => sweeps.fetch(sweep.id)));
        const named = await sweeps.studyCheckpoints(id, compared);
        await states.refresh();
        const newest = newestStates(shown, compared, states.all, named, checkpoints.all);
        if (newest !== null) await states.fetchAnswer(newest);
        if (study.value?.id !== id) return;
        ofStudy.value = results;
        statesId.value = newest;
      }),
    { immediate: true },
  );

  return computed(() => {
    const shown = study.value;
    if (shown === null || opened.id !== shown.id) return [];
    const { result, metrics: scalars, comparisons } = opened;
    return studyGallery({
      ...{ study: shown, seed: seed.value, result, scalars, sweeps: ofStudy.value },
      comparisons: comparisons?.seed === comparedSeed.value ? comparisons.list : [],
      states: statesId.value === null ? undefined : states.answers.get(statesId.value),
      ...{ checkpoints: checkpoints.all, choice: ui.state },
    });
  });
}
