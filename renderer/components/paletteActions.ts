/** Everything that can be done from anywhere, for the palette: each action under the words that its button has. */
import { computed } from 'vue';
import { useRouter } from 'vue-router';
import { useApp } from '../stores/app.ts';
import { isActive, useJobs } from '../stores/jobs.ts';
import { useOpening } from '../stores/opening.ts';
import { useRemote } from '../stores/remote.ts';
import { useStudies } from '../stores/studies.ts';
import { useToasts } from '../stores/toasts.ts';
import { useUi, type ThemeChoice } from '../stores/ui.ts';
import { copyText } from './copyText.ts';
import { ownDesktop } from './ownDesktop.ts';
import type { PaletteEntry } from './paletteEntries.ts';

/** Of jobs that can be resumed: the newest. */
const offeredResumes = 5;

/** @param open what opens the list of keys, and the guide */
export function usePaletteActions(open: { shortcuts: () => void; guide: () => void }) {
  const router = useRouter();
  const app = useApp();
  const ui = useUi();
  const jobs = useJobs();
  const studies = useStudies();
  const opening = useOpening();
  const { attempt, show } = useToasts();

  const action = (label: string, run: () => Promise<unknown>): PaletteEntry => ({
    ...{ label, kind: 'action' },
    run: () => void attempt(run),
  });
  const go = (label: string, path: string): PaletteEntry => action(label, () => router.push(path));
  const openStudy = async (study: Promise<{ id: string }>): Promise<unknown> =>
    router.push(`/studies/${(await study).id}`);
  const theme = (label: string, choice: ThemeChoice): PaletteEntry =>
    action(label, async () => void (ui.state.theme = choice));

  const creating = [
    go('New study', '/studies/new'),
    go('New ablation', '/ablations/new'),
    go('Compare two studies', '/studies/compare'),
    go('Settings', '/settings'),
    action('Run the miniature study', () => openStudy(studies.createAndStart({}, { new: false }))),
    action('Open the sample study', () => openStudy(studies.openSample())),
  ];
  const desktop = ownDesktop();
  const files =
    desktop === undefined
      ? [action('Open a checkpoint, a study or settings by its path', async () => void (opening.asking = true))]
      : [
          action('Open folder…', async () => opening.look(await desktop.openFolder())),
          action('Open files…', async () => opening.look(await desktop.openFiles())),
        ];
  const remote = useRemote();
  const rest = [
    ...(remote.machine === null ? [] : [action('Back to this machine', remote.leave)]),
    theme('Theme: as the system', 'system'),
    theme('Theme: light', 'light'),
    theme('Theme: dark', 'dark'),
    action('Self-test of what computes', async () => router.push(`/jobs/${await app.selfTest()}`)),
    action('Copy diagnostics', async () => {
      await copyText(await app.diagnostics());
      show('success', 'The diagnostics are on the clipboard.');
    }),
    action('Guide to this page', async () => open.guide()),
    action('Keyboard shortcuts', async () => open.shortcuts()),
  ];
  return computed<PaletteEntry[]>(() => [
    ...creating,
    ...files,
    action(jobs.queuePaused ? 'Resume queue' : 'Pause queue', () => jobs.pauseQueue(!jobs.queuePaused)),
    ...jobs.running.map(({ id, title }) => action(`Pause ${title}`, () => jobs.pause(id))),
    ...jobs.all.filter(isActive).map(({ id, title }) => action(`Cancel ${title}`, () => jobs.cancel(id))),
    ...jobs.all
      .filter(({ state, studyId }) => state === 'paused' || (state === 'interrupted' && studyId === null))
      .slice(0, offeredResumes)
      .map(({ id, title }) => action(`Resume ${title}`, () => jobs.resume(id))),
    ...studies.all
      .filter(({ state }) => state === 'interrupted' || state === 'paused')
      .slice(0, offeredResumes)
      .map(({ id, name }) => action(`Resume ${name}`, () => studies.resume(id))),
    ...rest,
  ]);
}
