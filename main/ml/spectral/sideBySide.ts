/** Work on a list, several items at a time: how matrices are spread over the cores. */
import { AppError } from '../../contract/errors.ts';

/**
 * Visits every item, at most `threads` at once, in the order of the list. The first failure stops it: nothing more is
 * started, what runs is waited for, and then it is thrown.
 * @throws CANCELLED when `signal` aborts before the last item was started
 */
export async function sideBySide<T>(
  items: readonly T[],
  threads: number,
  visit: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  let failure: { error: unknown } | null = null;
  const work = async (): Promise<void> => {
    while (next < items.length && failure === null) {
      const index = next++;
      try {
        throwIfCancelled(signal);
        await visit(items[index]!, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(threads, items.length)) }, work));
  if (failure !== null) throw (failure as { error: unknown }).error;
}

/** @throws CANCELLED */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('CANCELLED', 'The decomposition was cancelled.');
}
