/** Questions put to checkpoints. Nothing is kept here: an answer belongs to the page that asked. */
import { defineStore } from 'pinia';
import type { PlayAnswer, PlayTaskInfo, PlayToken } from '../../main/contract/play.ts';
import type { CallInput } from '../../main/contract/api.ts';
import { call, onEngineEvent } from '../engine/engine.ts';

/** A question on its way: its answer, and what ends it. */
interface Asked {
  answer: Promise<PlayAnswer>;
  cancel(): Promise<void>;
}

export const usePlay = defineStore('play', () => {
  const listeners = new Map<string, (tokens: PlayToken[]) => void>();
  onEngineEvent((event) => {
    if (event.type === 'answer') listeners.get(event.ask)?.(event.tokens);
  });

  const tasks = (checkpointId: string): Promise<PlayTaskInfo[]> => call('play.tasks', { checkpointId });
  const example = (task: string): Promise<Record<string, string>> => call('play.example', { task });

  /** @param onTokens told of the tokens as they come; the answer has all of them */
  function ask(question: Omit<CallInput<'play.ask'>, 'ask'>, onTokens: (tokens: PlayToken[]) => void): Asked {
    // Several windows ask the same engine.
    const name = `${Date.now()}-${Math.random()}`;
    listeners.set(name, onTokens);
    const answer = call('play.ask', { ...question, ask: name }).finally(() => listeners.delete(name));
    return { answer, cancel: async () => void (await call('play.cancel', { ask: name })) };
  }
  return { tasks, example, ask };
});
