/** Where a waiting job goes when it is moved, and what is said of it. Pure. */

export type QueueMove = 'up' | 'down' | 'front';

/**
 * @param queue ids of the waiting jobs in their order
 * @returns the id of the job that it comes before, null: it becomes the last; undefined: there is nothing to move
 */
export function moveTarget(queue: readonly string[], id: string, move: QueueMove): string | null | undefined {
  const place = queue.indexOf(id);
  if (place < 0) return undefined;
  if (move === 'down') return place === queue.length - 1 ? undefined : (queue[place + 2] ?? null);
  return place === 0 ? undefined : queue[move === 'up' ? place - 1 : 0];
}

/** Of a job that is dropped on another one: it takes its place. */
export function dropTarget(queue: readonly string[], id: string, ontoId: string): string | null | undefined {
  const [from, to] = [queue.indexOf(id), queue.indexOf(ontoId)];
  if (from < 0 || to < 0 || from === to) return undefined;
  return from < to ? (queue[to + 1] ?? null) : ontoId;
}

/** What brings it back: the first of the jobs that came after it that still waits, null: the end. */
export function undoTarget(before: readonly string[], now: readonly string[], id: string): string | null {
  const after = before.slice(before.indexOf(id) + 1);
  return after.find((one) => now.includes(one)) ?? null;
}

export const placeInQueue = (queue: readonly string[], id: string): string =>
  `${queue.indexOf(id) + 1} of ${queue.length} in the queue`;
