/** Studies, checkpoints and ablations opened last: numbered in the menu, first in the palette. */
import { computed, watch } from 'vue';
import { useRoute } from 'vue-router';
import type { MenuPlace } from '../../main/contract/desktop.ts';
import { useCheckpoints } from '../stores/checkpoints.ts';
import { useStudies } from '../stores/studies.ts';
import { useSweeps } from '../stores/sweeps.ts';
import { useUi } from '../stores/ui.ts';

/** As many as there are digits. */
const keptRecents = 9;

/** `path` in front, each once. */
export function withRecent(recents: readonly string[], path: string): string[] {
  return [path, ...recents.filter((other) => other !== path)].slice(0, keptRecents);
}

/** Those that are still there, under the names that they have now. */
export function useRecents() {
  const ui = useUi();
  const studies = useStudies();
  const checkpoints = useCheckpoints();
  const sweeps = useSweeps();
  const nameAt = (path: string): string | undefined => {
    const [, kind, id = ''] = path.split('/');
    if (kind === 'studies') return studies.byId.get(id)?.name;
    if (kind === 'checkpoints') return checkpoints.byId.get(id)?.name;
    return kind === 'ablations' ? sweeps.byId.get(id)?.name : undefined;
  };
  return computed<MenuPlace[]>(() =>
    ui.state.recents.flatMap((path) => {
      const label = nameAt(path);
      return label === undefined ? [] : [{ path, label }];
    }),
  );
}

/** Notes every study, checkpoint and ablation whose page is opened. */
export function noteRecents(): void {
  const ui = useUi();
  const route = useRoute();
  watch(
    () => [route.path, ui.loaded] as const,
    ([path, loaded]) => {
      if (!loaded || !['study', 'checkpoint', 'ablation'].includes(String(route.name))) return;
      ui.state.recents = withRecent(ui.state.recents, path);
    },
    { immediate: true },
  );
}
