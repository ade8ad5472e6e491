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

/** As a link carries them. */
export const pinsText = (pins: readonly CellAddress[]): string =>
  pins.map(({ id, target, weight }) => [id, target, weight].map(encodeURIComponent).join(':')).join(',');

/** Of a text that may be anything: what is no cell is left out. */
export function pinsFrom(text: string): CellAddress[] {
  const cells = text.split(',').flatMap((part) => {
    const match = /^([^:]+):(\d{1,6}):([^:]+)$/.exec(part);
    const [id, weight] = [decoded(match?.[1] ?? ''), decoded(match?.[3] ?? '')];
    return id === '' || weight === '' ? [] : [{ id, target: Number(match![2]), weight }];
  });
  return cells.slice(0, mostPins);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
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
