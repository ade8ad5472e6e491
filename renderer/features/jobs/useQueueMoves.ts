/** Moving waiting jobs: by buttons, by keys, by dragging a handle; said to those who do not see it, and undone. */
import { computed, ref } from 'vue';
import type { Job } from '../../../main/contract/api.ts';
import { useJobs } from '../../stores/jobs.ts';
import { useToasts } from '../../stores/toasts.ts';
import { dropTarget, moveTarget, placeInQueue, undoTarget, type QueueMove } from './queueOrder.ts';

export function useQueueMoves() {
  const jobs = useJobs();
  const { attempt, show } = useToasts();
  const queue = computed(() => jobs.queued.map(({ id }) => id));
  /** For a live region. */
  const said = ref('');
  const dragged = ref<string | null>(null);
  const over = ref<string | null>(null);

  async function place({ id, title }: Job, beforeId: string | null | undefined, canUndo: boolean): Promise<void> {
    if (beforeId === undefined) return;
    const before = queue.value;
    if (!(await attempt(() => jobs.move(id, beforeId)))) return;
    const moved = before.filter((one) => one !== id);
    moved.splice(beforeId === null ? moved.length : moved.indexOf(beforeId), 0, id);
    const text = `${title}: ${placeInQueue(moved, id)}.`;
    said.value = text;
    if (!canUndo) return;
    const undo = (): Promise<void> => jobs.move(id, undoTarget(before, queue.value, id));
    show('info', text, { action: { label: 'Undo', run: undo } });
  }

  /** One step is undone by the step back; to the front is not. */
  const move = (job: Job, where: QueueMove): Promise<void> =>
    place(job, moveTarget(queue.value, job.id, where), where === 'front');

  async function drop(onto: Job): Promise<void> {
    const job = dragged.value === null ? undefined : jobs.byId.get(dragged.value);
    dragged.value = null;
    over.value = null;
    if (job !== undefined) await place(job, dropTarget(queue.value, job.id, onto.id), true);
  }

  return { queue, said, dragged, over, move, drop };
}
