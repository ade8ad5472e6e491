/** Pairs that the studies at hand suggest, and what the composer compares when nothing was chosen yet. */
import { computed, shallowRef, watch, type ComputedRef } from 'vue';
import { useApp } from '../../stores/app.ts';
import { useCheckpoints } from '../../stores/checkpoints.ts';
import { useStudies } from '../../stores/studies.ts';
import { useSweeps } from '../../stores/sweeps.ts';
import { useToasts } from '../../stores/toasts.ts';
import { pairPresets, trajectoryOf, type PairPreset, type Selection } from './comparisonForm.ts';

export interface PresetGroup {
  /** "Sample study, seed 0". */
  label: string;
  presets: PairPreset[];
}

/** Newest studies with presets; the pickers reach the rest. */
const shownGroups = 3;

export function useStudyPresets(): { groups: ComputedRef<PresetGroup[]>; first: ComputedRef<Selection> } {
  const app = useApp();
  const checkpoints = useCheckpoints();
  const studies = useStudies();
  const sweeps = useSweeps();
  const { load } = useToasts();
  const found = shallowRef<PresetGroup[]>([]);

  async function ask(): Promise<void> {
    const groups: PresetGroup[] = [];
    for (const study of studies.all)
      for (const seed of study.settings.seeds) {
        if (groups.length >= shownGroups) break;
        const presets = pairPresets(await sweeps.studyCheckpoints(study.id, seed));
        if (presets.length > 0) groups.push({ label: `${study.name}, seed ${seed}`, presets });
      }
    found.value = groups;
  }
  watch(
    () =>
      [app.connections, studies.all.map(({ id, revision }) => `${id} ${revision}`).join(), checkpoints.byId] as const,
    () => load(ask),
    { immediate: true },
  );

  const first = computed((): Selection => {
    const preset = found.value[0]?.presets[0];
    if (preset !== undefined) return preset;
    const nothing = { reference: '', targets: [], restoration: '' };
    const steps = checkpoints.all.map((one) => trajectoryOf(one, checkpoints.all)).find((list) => list.length > 1);
    const [from, to] = steps === undefined ? [] : [steps[0], steps[steps.length - 1]];
    return from === undefined || to === undefined ? nothing : { ...nothing, reference: from.id, targets: [to.id] };
  });
  return { groups: computed(() => found.value), first };
}
