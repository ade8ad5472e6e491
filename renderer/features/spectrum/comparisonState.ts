/**
 * What the page of a comparison shows, in its address: the target and the matrix that are open, how they are drawn, and the
 * pinned cells. Pins are of no one page: they are kept for all, and a link brings its own.
 */
import { inject, provide, watch, type InjectionKey } from 'vue';
import { useRoute } from 'vue-router';
import { useQueryState } from '../../components/queryState.ts';
import { useUi } from '../../stores/ui.ts';
import { pinsFrom, pinsText } from './pins.ts';

const initial = {
  /** Index of the target; empty: the last one that has numbers. */
  target: '',
  /** Name of the weight; empty: the first. */
  cell: '',
  quantity: 'relativeChange',
  /** Indices shown of the curves. */
  first: '',
  last: '',
  /** Angles on a log axis: "yes". */
  log: '',
  /** How pinned matrices are drawn, and which quantities go over the steps. */
  pinned: 'overlay',
  steps: 'one',
  pins: '',
};
export type ComparisonState = Record<keyof typeof initial, string>;

const key: InjectionKey<ComparisonState> = Symbol('comparison');

export function provideComparisonState(): ComparisonState {
  const route = useRoute();
  const ui = useUi();
  const state = useQueryState(initial);
  const take = (): void => {
    if (state.pins !== pinsText(ui.state.pinnedCells)) ui.state.pinnedCells = pinsFrom(state.pins);
  };
  if ('pins' in route.query) take();
  else state.pins = pinsText(ui.state.pinnedCells);
  // On to another comparison the pins go along; back in the browser they are what they were.
  watch(
    () => state.pins,
    () => ('pins' in route.query ? take() : (state.pins = pinsText(ui.state.pinnedCells))),
  );
  watch(
    () => ui.state.pinnedCells,
    (cells) => (state.pins = pinsText(cells)),
  );
  provide(key, state);
  return state;
}

export const useComparisonState = (): ComparisonState => inject(key)!;
