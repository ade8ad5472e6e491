/**
 * Every figure of one study: of its runs, of its comparisons, and of the ablations of its checkpoints, each with what it
 * comes from. Pure: the Figures page follows a study with it, and the command line writes its report.
 */
import type { Checkpoint, Study } from '../../../main/contract/api.ts';
import type { HiddenStates } from '../../../main/contract/hiddenStates.ts';
import type { Comparison, StudyResult } from '../../../main/contract/studyResult.ts';
import type { Sweep, SweepResult } from '../../../main/contract/sweeps.ts';
import type { SourcedFigure } from '../../figures/export/figureFiles.ts';
import { studyProvenance, sweepProvenance, type FigureSource } from '../../figures/export/provenance.ts';
import type { HiddenStatesAnswer } from '../../stores/hiddenStates.ts';
import type { StageMetrics } from '../../stores/stageMetrics.ts';
import type { StudyCheckpointIds } from '../../stores/sweeps.ts';
import { sweepFigures } from '../ablations/sweepFigures.ts';
import { allSeeds } from '../study/charts/seedView.ts';
import { spectralFigures } from '../study/spectralFigures.ts';
import { stateChoices, statesOf } from '../study/stateChoices.ts';
import { stateFigures, statesView } from '../study/stateFigures.ts';
import { attemptsOf, studyFigures } from '../study/studyFigures.ts';
import { textFigures } from '../study/textFigures.ts';
import type { GalleryChoice } from './galleryChoice.ts';

export interface GalleryData {
  study: Study;
  /** Shown, or `allSeeds`. */
  seed: number;
  result: StudyResult | null;
  scalars: ReadonlyMap<string, StageMetrics>;
  /** Of `spectralSeed`. */
  comparisons: Comparison[];
  states: HiddenStatesAnswer | undefined;
  sweeps: readonly SweepResult[];
  /** The catalogue. */
  checkpoints: readonly Checkpoint[];
  choice: GalleryChoice;
}

/** The newest ones: each brings some figures, and its points. */
const shownSweeps = 4;

/** The seed that was chosen when the study has it; all of them when it has several. */
export function shownSeed({ settings: { seeds } }: Study, chosen: number): number {
  if (seeds.includes(chosen)) return chosen;
  return seeds.length === 1 ? seeds[0]! : allSeeds;
}
/** Comparisons have no mean over seeds: with all seeds, the first one is shown. */
export const spectralSeed = ({ settings: { seeds } }: Study, seed: number): number =>
  seeds.includes(seed) ? seed : (seeds[0] ?? 0);

/** Finished ablations of the study's checkpoints. @param all newest first */
export function sweepsOf(study: Study, all: readonly Sweep[], checkpoints: readonly Checkpoint[]): Sweep[] {
  const own = new Set(checkpoints.filter(({ studyId }) => studyId === study.id).map(({ id }) => id));
  const isOwn = ({ state, pairs }: Sweep): boolean =>
    state === 'succeeded' && pairs.every(({ target }) => own.has(target.id));
  return all.filter(isOwn).slice(0, shownSweeps);
}

/** Id of the newest hidden states of a seed; null: none. @param named checkpoints that the study names */
export function newestStates(
  study: Study,
  seed: number,
  all: readonly HiddenStates[],
  named: StudyCheckpointIds,
  checkpoints: readonly Checkpoint[],
): string | null {
  const ofSeed = checkpoints.filter(
    (one) => (one.studyId === study.id && one.seed === seed) || Object.values(named).includes(one.id),
  );
  return statesOf(all, stateChoices(named, ofSeed)).find(({ state }) => state === 'succeeded')?.id ?? null;
}

export function studyGallery(data: GalleryData): SourcedFigure[] {
  const { study, seed, result, scalars, comparisons, checkpoints, choice } = data;
  const { preset, seeds, base, task } = study.settings;
  const provenance = (): Record<string, unknown> => studyProvenance(study, result, checkpoints);
  const source: FigureSource = { name: study.name, studyId: study.id, provenance };
  const seedNote = seeds.length > 1 ? ` Seed ${spectralSeed(study, seed)}.` : '';
  const view = statesView(data.states);
  const own = [
    ...studyFigures({ preset, attempts: attemptsOf(study.settings), result, scalars, seed }),
    ...(base === null ? [] : textFigures(result, seed, task.text.samples > 1)),
    ...(preset !== 'miniature' ? [] : spectralFigures(comparisons, choice, seedNote)),
    ...(view === null ? [] : Object.values(stateFigures(view, 0, seedNote))),
  ];
  const ofSweeps = data.sweeps.flatMap((sweep, index) => {
    const from = { name: sweep.name, studyId: study.id, provenance: () => sweepProvenance(sweep) };
    return sweepFigures(sweep, choice.gridQuantity).map(({ hasQuantity: _, ...figure }) => ({
      // Two ablations of one study have figures of the same names; the newest keeps the plain one.
      figure: index === 0 ? figure : { ...figure, name: `${figure.name}-${index + 1}` },
      source: from,
    }));
  });
  return [...own.map((figure) => ({ figure, source })), ...ofSweeps];
}
