/** The live plan of an order: asked for once the typing has settled, with the reason where it cannot be carried out. */
import { computed, onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import type { AppErrorShape } from '../../../main/contract/errors.ts';
import { toErrorShape } from '../../../main/contract/errors.ts';
import { ConnectionLostError } from '../../engine/EngineClient.ts';
import { useApp } from '../../stores/app.ts';
import { useSweeps, type SweepOrderInput, type SweepPlan } from '../../stores/sweeps.ts';

/** Typing settles for this long before the plan is asked for. */
const settleMs = 300;

/** @param order what would be run, or null while it is not complete */
export function useSweepPlan(order: Ref<SweepOrderInput | null>) {
  const app = useApp();
  const sweeps = useSweeps();
  const plan = shallowRef<SweepPlan | null>(null);
  const problem = shallowRef<AppErrorShape | null>(null);
  const isPlanning = shallowRef(false);
  // The same order in other words of the page asks nothing again.
  const asked = computed(() => (order.value === null ? '' : JSON.stringify(order.value)));
  let timer: ReturnType<typeof setTimeout> | null = null;
  let latest = 0;

  async function ask(input: SweepOrderInput): Promise<void> {
    const turn = ++latest;
    let [next, why]: [SweepPlan | null, AppErrorShape | null] = [null, null];
    try {
      next = await sweeps.plan(input);
    } catch (error) {
      // It is asked for again with the next connection.
      if (error instanceof ConnectionLostError) return;
      why = toErrorShape(error);
    }
    if (turn !== latest) return;
    plan.value = next;
    problem.value = why;
    isPlanning.value = false;
  }

  watch(
    [asked, () => app.connections] as const,
    () => {
      if (timer !== null) clearTimeout(timer);
      latest += 1;
      const input = order.value;
      isPlanning.value = input !== null;
      problem.value = null;
      if (input === null) return void (plan.value = null);
      timer = setTimeout(() => void ask(input), settleMs);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    if (timer !== null) clearTimeout(timer);
    latest += 1;
  });
  return { plan, problem, isPlanning };
}
