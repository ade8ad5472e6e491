/** Rows of one height in a frame that scrolls, of which only those in sight are in the page: thousands scroll like ten. */
import { useVirtualizer } from '@tanstack/vue-virtual';
import { computed, ref } from 'vue';

/**
 * @param rows all of them
 * @param rowPx height of every row: nothing has to be measured
 * @returns `frame`: the element that scrolls, to be a template's ref; `shown`: the rows in the page; `above` and `below`: the
 * height of those that are not, px
 */
export function useVirtualRows<Row>(
  rows: () => readonly Row[],
  { rowPx, keyOf, overscan }: { rowPx: number; keyOf: (row: Row) => string; overscan: number },
) {
  const frame = ref<HTMLElement | null>(null);
  const virtualizer = useVirtualizer(
    computed(() => ({
      count: rows().length,
      getScrollElement: () => frame.value,
      estimateSize: () => rowPx,
      getItemKey: (index: number) => {
        const row = rows()[index];
        return row === undefined ? index : keyOf(row);
      },
      overscan,
    })),
  );
  const shown = computed(() =>
    virtualizer.value.getVirtualItems().flatMap(({ index }) => {
      const row = rows()[index];
      return row === undefined ? [] : [{ index, row }];
    }),
  );
  const above = computed(() => (shown.value[0]?.index ?? 0) * rowPx);
  const below = computed(() => (rows().length - 1 - (shown.value.at(-1)?.index ?? -1)) * rowPx);
  return { frame, shown, above, below };
}
