/** Cells kept beside each other, also of different comparisons. They survive a reload. */
import { computed, type ComputedRef } from 'vue';
import { useUi, type CellAddress } from '../../stores/ui.ts';

/** As many as there are colours that can be told apart. */
export const mostPins = 6;

const same = (a: CellAddress, b: CellAddress): boolean =>
  a.id === b.id && a.target === b.target && a.weight === b.weight;
export const isPinned = (pins: readonly CellAddress[], cell: CellAddress): boolean =>
  pins.some((one) => same(one, cell));

/** Pinned when it was not (and there is room), taken away when it was. */
export function togglePin(pins: readonly CellAddress[], cell: CellAddress): CellAddress[] {
  if (isPinned(pins, cell)) return pins.filter((one) => !same(one, cell));
  return pins.length >= mostPins ? [...pins] : [...pins, { ...cell }];
}

export function usePins(): {
  list: ComputedRef<CellAddress[]>;
  toggle(cell: CellAddress): void;
  clear(): void;
} {
  const ui = useUi();
  return {
    list: computed(() => ui.state.pinnedCells),
    toggle: (cell) => (ui.state.pinnedCells = togglePin(ui.state.pinnedCells, cell)),
    clear: () => (ui.state.pinnedCells = []),
  };
}
