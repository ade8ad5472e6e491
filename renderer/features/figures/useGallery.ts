/**
 * Every figure of one study: of its runs, of its comparisons, and of the ablations of its checkpoints, each with what it
 * comes from. Follows the study that is open, live.
 */
import { computed, shallowRef, watch, type ComputedRef } from 'vue';
import type { Study } from '../../../main/contract/api.ts';
import type { SweepResult } from '../../../main/contract/sweeps.ts';
import type { SourcedFigure } from '../../figures/export/figureFiles.ts';
import { studyProvenance, sweepProvenance, type FigureSource } from '../../figures/export/provenance.ts';
import { useCheckpoints } from '../../stores/checkpoints.ts';
import { useHiddenStates } from '../../stores/hiddenStates.ts';
import { useOpenStudy } from '../../stores/openStudy.ts';
import { useSweeps } from '../../stores/sweeps.ts';
import { useToasts } from '../../stores/toasts.ts';
import { useUi } from '../../stores/ui.ts';
import { sweepFigures } from '../ablations/sweepFigures.ts';
import { spectralFigures } from '../study/spectralFigures.ts';
import { stateChoices, statesOf } from '../study/stateChoices.ts';
import { stateFigures, statesView } from '../study/stateFigures.ts';
import { attemptsOf, studyFigures } from '../study/studyFigures.ts';
import { textFigures } from '../study/textFigures.ts';

/** The newest ones: each brings some figures, and its points. */
const shownSweeps = 4;

/** @param seed shown, or `allSeeds` */
export function useGallery(study: ComputedRef<Study | null>, seed: ComputedRef<number>): ComputedRef<SourcedFigure[]> {
  const opened = useOpenStudy();
  const sweeps = useSweeps();
  const checkpoints = useCheckpoints();
  const states = useHiddenStates();
  const ui = useUi();
  const { load } = useToasts();
  const ofStudy = shallowRef<SweepResult[]>([]);
  /** Id of the newest hidden states of the seed; null: none. */
  const statesId = shallowRef<string | null>(null);
  const seeds = computed(() => study.value?.settings.seeds ?? []);
  /** Comparisons have no mean over seeds: with all seeds, the first one is shown. */
  const spectralSeed = computed(() => (seeds.value.includes(seed.value) ? seed.value : (seeds.value[0] ?? 0)));

  watch(
    () => [study.value?.id, spectralSeed.value] as const,
    ([id, shown]) =>
      load(async () => {
        ofStudy.value = [];
        statesId.value = null;
        if (id === undefined) return;
        await opened.open(id);
        await opened.showComparisonsOf(shown);
        await sweeps.refresh();
        const own = sweeps.all.filter(
          ({ state, pairs }) =>
            state === 'succeeded' && pairs.every(({ target }) => checkpoints.byId.get(target.id)?.studyId === id),
        );
        const results = await Promise.all(own.slice(0, shownSweeps).map((sweep) => sweeps.fetch(sweep.id)));
        const named = await sweeps.studyCheckpoints(id, shown);
        await states.refresh();
        const ofSeed = checkpoints.all.filter(
          (one) => (one.studyId === id && one.seed === shown) || Object.values(named).includes(one.id),
        );
        const done = statesOf(states.all, stateChoices(named, ofSeed)).find(({ state }) => state === 'succeeded');
        if (done) await states.fetchAnswer(done.id);
        if (study.value?.id !== id) return;
        ofStudy.value = results;
        statesId.value = done?.id ?? null;
      }),
    { immediate: true },
  );

  return computed(() => {
    const shown = study.value;
    if (shown === null || opened.id !== shown.id) return [];
    const { preset } = shown.settings;
    const source: FigureSource = {
      name: shown.name,
      studyId: shown.id,
      provenance: () => studyProvenance(shown, opened.result, checkpoints.all),
    };
    const { result, metrics: scalars, comparisons } = opened;
    const list = comparisons?.seed === spectralSeed.value ? comparisons.list : [];
    const seedNote = seeds.value.length > 1 ? ` Seed ${spectralSeed.value}.` : '';
    const view = statesView(statesId.value === null ? undefined : states.answers.get(statesId.value));
    const own = [
      ...studyFigures({ preset, attempts: attemptsOf(shown.settings), result, scalars, seed: seed.value }),
      ...(shown.settings.base === null ? [] : textFigures(result, seed.value, shown.settings.task.text.samples > 1)),
      ...(preset !== 'miniature' ? [] : spectralFigures(list, ui.state, seedNote)),
      ...(view === null ? [] : Object.values(stateFigures(view, 0, seedNote))),
    ];
    const ofSweeps = ofStudy.value.flatMap((sweep, index) => {
      const from = { name: sweep.name, studyId: shown.id, provenance: () => sweepProvenance(sweep) };
      return sweepFigures(sweep, ui.state.gridQuantity).map(({ hasQuantity: _, ...figure }) => ({
        // Two ablations of one study have figures of the same names; the newest keeps the plain one.
        figure: index === 0 ? figure : { ...figure, name: `${figure.name}-${index + 1}` },
        source: from,
      }));
    });
    return [...own.map((figure) => ({ figure, source })), ...ofSweeps];
  });
}
