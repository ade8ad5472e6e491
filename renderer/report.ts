/**
 * The report of a study without a page: built for plain Node (vite.report.config.ts) and loaded by `rotascope report`. The
 * same figures, in the style and with the choices that the window keeps.
 */
import type { CallAnswer, CallInput, CallName } from '../main/contract/api.ts';
import { firstChoice, type GalleryChoice } from './features/figures/galleryChoice.ts';
import { newestStates, shownSeed, spectralSeed, studyGallery, sweepsOf } from './features/figures/studyGallery.ts';
import { readStyle, reportStyle } from './figures/export/exportStyle.ts';
import { reportHtml } from './figures/export/report.ts';
import { withMetrics } from './stores/stageMetrics.ts';

type Call = <N extends CallName>(name: N, input: CallInput<N>) => Promise<CallAnswer<N>>;

/** What was stored, where it is of the kind that it should be. */
function storedChoice(stored: Record<string, unknown>): GalleryChoice {
  const kept = Object.entries(firstChoice).map(([key, first]) => {
    const value = stored[key];
    return [key, typeof value === typeof first ? value : first];
  });
  return Object.fromEntries(kept) as GalleryChoice;
}

/**
 * @param call asks the engine
 * @returns one HTML file that opens anywhere
 * @throws NOT_FOUND
 */
export async function studyReport(call: Call, studyId: string, now: Date): Promise<string> {
  const study = await call('studies.get', { id: studyId });
  const stored = await call('app.getUiState', {});
  const chosen = stored['studySeed'];
  const seed = shownSeed(study, typeof chosen === 'number' ? chosen : -1);
  const compared = spectralSeed(study, seed);
  const [result, metrics, comparisons, checkpoints, sweeps, named, states] = await Promise.all([
    call('studies.result', { id: studyId }),
    call('studies.metrics', { id: studyId }),
    call('studies.comparisons', { id: studyId, seed: compared }),
    call('checkpoints.list', {}),
    call('sweeps.list', {}),
    call('sweeps.studyCheckpoints', { studyId, seed: compared }),
    call('hiddenStates.list', {}),
  ]);
  const newest = newestStates(study, compared, states, named, checkpoints);
  const figures = studyGallery({
    ...{ study, seed, result, comparisons, checkpoints, choice: storedChoice(stored) },
    scalars: withMetrics(new Map(), metrics.rows),
    states: newest === null ? undefined : await call('hiddenStates.get', { id: newest }),
    sweeps: await Promise.all(sweepsOf(study, sweeps, checkpoints).map(({ id }) => call('sweeps.get', { id }))),
  });
  const style = readStyle((stored['figureStyle'] ?? {}) as Record<string, unknown>);
  return reportHtml(study, result, figures, reportStyle(style), now);
}
