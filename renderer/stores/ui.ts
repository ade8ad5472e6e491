/**
 * What the user chose to see: theme, last page, filters, pickers. Kept by the engine (local storage is per port), so it
 * survives a reload and a restart. Unknown values from another version are ignored.
 */
import { defineStore } from 'pinia';
import { computed, reactive, ref, watch } from 'vue';
import { call } from '../engine/engine.ts';
import { firstChoice } from '../features/figures/galleryChoice.ts';

export type ThemeChoice = 'system' | 'light' | 'dark';

/** One matrix of one target of a comparison. */
export interface CellAddress {
  id: string;
  target: number;
  weight: string;
}

export interface UiState {
  theme: ThemeChoice;
  lastRoute: string;
  /** Path -> what its page shows, where that is kept in the address. */
  pageQueries: Record<string, Record<string, string>>;
  /** Quantities in the table of runs. */
  runColumns: string[];
  /** Pages of studies, checkpoints and ablations opened last, newest first. */
  recents: string[];
  jobFilter: string;
  checkpointFilter: string;
  tensorFilter: string;
  /** Keys of the groups of the checkpoint list that are closed. */
  closedCheckpointGroups: string[];
  /** Seed shown on a study page: -1 is "all seeds". */
  studySeed: number;
  figuresAsTable: string[];
  spectrumPair: string;
  spectrumMatrix: string;
  spectrumLayer: number;
  heatmapQuantity: string;
  /** Matrices of comparisons that are kept beside each other. */
  pinnedCells: CellAddress[];
  /** Fields of a new comparison that differ from their defaults, as they were typed. */
  comparisonDraft: Record<string, string>;
  /** Of the Ablations pages: fields of the composer that differ from it, and the quantity of layer x rank maps. */
  ablationDraft: Record<string, unknown>;
  gridQuantity: string;
  /** Of exported figures (figures/export/exportStyle.ts), and of the Figures page: its study, that one's panels by name. */
  figureStyle: Record<string, unknown>;
  figureStudy: string;
  figurePanels: Record<string, string[]>;
  figureColumns: number;
  figureLetters: boolean;
  exportFormats: string[];
}

const initial: UiState = {
  theme: 'system',
  lastRoute: '/',
  pageQueries: {},
  runColumns: ['oodAccuracy', 'inDistAccuracy', 'peakOod', 'loss', 'reward'],
  recents: [],
  jobFilter: 'all',
  checkpointFilter: '',
  tensorFilter: '',
  closedCheckpointGroups: [],
  studySeed: -1,
  figuresAsTable: [],
  ...firstChoice,
  pinnedCells: [],
  comparisonDraft: {},
  ablationDraft: {},
  figureStyle: {},
  figureStudy: '',
  figurePanels: {},
  figureColumns: 1,
  figureLetters: true,
  exportFormats: ['svg', 'pdf', 'png', 'csv', 'json'],
};

/** Writes settle for this long before they travel. */
const saveDelayMs = 400;

export const useUi = defineStore('ui', () => {
  const state = reactive<UiState>({ ...initial });
  const systemDark = ref(false);
  const loaded = ref(false);
  let timer: ReturnType<typeof setTimeout> | null = null;

  const media = window.matchMedia('(prefers-color-scheme: dark)');
  systemDark.value = media.matches;
  media.addEventListener('change', ({ matches }) => (systemDark.value = matches));

  const theme = computed<'light' | 'dark'>(() => {
    if (state.theme !== 'system') return state.theme;
    return systemDark.value ? 'dark' : 'light';
  });
  watch(theme, (next) => document.documentElement.setAttribute('data-theme', next), { immediate: true });

  async function load(): Promise<void> {
    const stored = await call('app.getUiState', {});
    const target = state as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(initial)) {
      const kept = stored[key];
      if (typeof kept === typeof value && Array.isArray(kept) === Array.isArray(value)) target[key] = kept;
    }
    loaded.value = true;
  }

  watch(state, () => {
    if (!loaded.value) return;
    if (timer !== null) clearTimeout(timer);
    // A lost write costs one remembered choice; the connection banner already says that the engine is away.
    timer = setTimeout(() => void call('app.setUiState', { ...state }).catch(() => undefined), saveDelayMs);
  });

  return { state, theme, loaded, load };
});
