/** Moving waiting jobs: by buttons, by keys, by dragging a handle; said to those who do not see it, and undone. */
import { computed, ref, watch } from 'vue';
import type { Job } from '../../../main/contract/api.ts';
import { useJobs } from '../../stores/jobs.ts';
import { useToasts } from '../../stores/toasts.ts';
import { dropTarget, moveTarget, placeInQueue, undoTarget, type QueueMove } from './queueOrder.ts';

/** So long after a press the new order may come, ms. */
const pressMs = 2000;

export function useQueueMoves() {
  const jobs = useJobs();
  const { attempt, show } = useToasts();
  const queue = computed(() => jobs.queued.map(({ id }) => id));
  /** For a live region. */
  const said = ref('');
  const dragged = ref<string | null>(null);
  const over = ref<string | null>(null);

  /** Keys may be pressed faster than the engine answers: each move begins in the order that the last one left. */
  let last: Promise<void> = Promise.resolve();

  async function place({ id, title }: Job, beforeId: string | null | undefined, canUndo: boolean): Promise<void> {
    if (beforeId === undefined) return;
    const before = queue.value;
    if (!(await attempt(() => jobs.move(id, beforeId)))) return;
    const text = `${title}: ${placeInQueue(queue.value, id)}.`;
    said.value = text;
    if (!canUndo) return;
    const undo = (): Promise<void> => jobs.move(id, undoTarget(before, queue.value, id));
    show('info', text, { action: { label: 'Undo', run: undo } });
  }

  /** A row that changes its place takes the focus away from the button that was pressed: it comes back. */
  let pressed: { element: Element | null; timeMs: number } = { element: null, timeMs: 0 };
  watch(
    queue,
    () => {
      const { element, timeMs } = pressed;
      const isLost = document.activeElement === document.body && Date.now() - timeMs < pressMs;
      if (isLost && element instanceof HTMLElement && element.isConnected) element.focus();
    },
    { flush: 'post' },
  );

  /** One step is undone by the step back; to the front is not. */
  function move(job: Job, where: QueueMove): void {
    pressed = { element: document.activeElement, timeMs: Date.now() };
    last = last.then(() => place(job, moveTarget(queue.value, job.id, where), where === 'front'));
  }

  async function drop(onto: Job): Promise<void> {
    const job = dragged.value === null ? undefined : jobs.byId.get(dragged.value);
    dragged.value = null;
    over.value = null;
    if (job !== undefined) await place(job, dropTarget(queue.value, job.id, onto.id), true);
  }

  return { queue, said, dragged, over, move, drop };
}
