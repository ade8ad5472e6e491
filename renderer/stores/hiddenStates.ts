/** Hidden states at chosen checkpoints: what has been computed, and the answers that were looked at. */
import { defineStore } from 'pinia';
import { shallowRef, triggerRef } from 'vue';
import type { CallAnswer, CallInput } from '../../main/contract/api.ts';
import type { HiddenStates } from '../../main/contract/hiddenStates.ts';
import { call, onEngineEvent } from '../engine/engine.ts';
import { throttled } from './throttled.ts';
import { useToasts } from './toasts.ts';

export type HiddenStatesAnswer = CallAnswer<'hiddenStates.get'>;

export const useHiddenStates = defineStore('hiddenStates', () => {
  /** Newest first. */
  const all = shallowRef<HiddenStates[]>([]);
  const answers = shallowRef(new Map<string, HiddenStatesAnswer>());

  const refresh = async (): Promise<void> => void (all.value = await call('hiddenStates.list', {}));
  const refetch = throttled(() => refresh().catch(useToasts().reportOfPage), 500);
  onEngineEvent((event) => {
    if (event.type !== 'job' || event.job.kind !== 'hiddenStates') return;
    if (all.value.find(({ id }) => id === event.job.id)?.state !== event.job.state) refetch();
  });

  async function start(order: CallInput<'hiddenStates.start'>): Promise<void> {
    await call('hiddenStates.start', order);
    await refresh();
  }

  /** A finished answer does not change: it is asked for once. */
  async function fetchAnswer(id: string): Promise<void> {
    if (answers.value.has(id)) return;
    answers.value.set(id, await call('hiddenStates.get', { id }));
    triggerRef(answers);
  }

  return { all, answers, refresh, start, fetchAnswer };
});
