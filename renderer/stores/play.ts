/** Questions put to checkpoints. Nothing is kept here: an answer belongs to the page that asked. */
import { defineStore } from 'pinia';
import type { PlayAnswer, PlayTaskInfo } from '../../main/contract/play.ts';
import type { CallInput } from '../../main/contract/api.ts';
import { call } from '../engine/engine.ts';

export const usePlay = defineStore('play', () => {
  const tasks = (checkpointId: string): Promise<PlayTaskInfo[]> => call('play.tasks', { checkpointId });
  const example = (task: string): Promise<Record<string, string>> => call('play.example', { task });
  const ask = (question: CallInput<'play.ask'>): Promise<PlayAnswer> => call('play.ask', question);
  const cancel = async (): Promise<void> => void (await call('play.cancel', {}));
  return { tasks, example, ask, cancel };
});
