import { expect, test } from 'vitest';
import { dropTarget, moveTarget, placeInQueue, undoTarget } from '../../../../../renderer/features/jobs/queueOrder.ts';

const queue = ['a', 'b', 'c', 'd'];

/** What the engine does with a target. */
function moved(order: readonly string[], id: string, beforeId: string | null | undefined): string[] {
  if (beforeId === undefined) return [...order];
  const others = order.filter((one) => one !== id);
  others.splice(beforeId === null ? others.length : others.indexOf(beforeId), 0, id);
  return others;
}

test('up and down change one place, front takes the first, and the ends have nothing to move', () => {
  expect(moved(queue, 'c', moveTarget(queue, 'c', 'up'))).toEqual(['a', 'c', 'b', 'd']);
  expect(moved(queue, 'b', moveTarget(queue, 'b', 'down'))).toEqual(['a', 'c', 'b', 'd']);
  expect(moved(queue, 'c', moveTarget(queue, 'c', 'down'))).toEqual(['a', 'b', 'd', 'c']);
  expect(moved(queue, 'd', moveTarget(queue, 'd', 'front'))).toEqual(['d', 'a', 'b', 'c']);
  for (const none of [moveTarget(queue, 'a', 'up'), moveTarget(queue, 'a', 'front'), moveTarget(queue, 'd', 'down'), moveTarget(queue, 'x', 'up')]) expect(none).toBeUndefined(); // prettier-ignore
});

test('up takes back down, for every job', () => {
  for (const id of ['a', 'b', 'c']) {
    const down = moved(queue, id, moveTarget(queue, id, 'down'));
    expect(moved(down, id, moveTarget(down, id, 'up'))).toEqual(queue);
  }
});

test('a dropped job takes the place of the one that it is dropped on, from above and from below', () => {
  for (const id of queue)
    for (const onto of queue) {
      const target = dropTarget(queue, id, onto);
      if (id === onto) expect(target).toBeUndefined();
      else expect(moved(queue, id, target).indexOf(id)).toBe(queue.indexOf(onto));
    }
});

test('undo brings a job back, also when what came after it has started meanwhile', () => {
  const now = moved(queue, 'c', moveTarget(queue, 'c', 'front'));
  expect(moved(now, 'c', undoTarget(queue, now, 'c'))).toEqual(queue);
  expect(undoTarget(queue, ['c', 'a', 'b'], 'c')).toBeNull();
  expect(undoTarget(queue, ['b', 'c', 'd'], 'b')).toBe('c');
  expect(placeInQueue(queue, 'b')).toBe('2 of 4 in the queue');
});
