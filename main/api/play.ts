/** Calls that put a question to a checkpoint. */
import { AppError } from '../contract/errors.ts';
import type { PlayToken } from '../contract/play.ts';
import { openCheckpoint } from '../ml/checkpoints/openCheckpoint.ts';
import { playTask, playTasks } from '../ml/play/playTasks.ts';
import { Philox } from '../ml/random/philox.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';

export function playHandlers({ store, play, events }: EngineContext): HandlerGroup {
  const folderOf = (id: string): string => {
    const checkpoint = store.checkpoints.get(id);
    if (checkpoint) return checkpoint.folder;
    throw new AppError('NOT_FOUND', 'This checkpoint is not in the list any more.', { hint: 'Reload the page.' });
  };
  return {
    'play.tasks': async ({ checkpointId }) => {
      const checkpoint = await openCheckpoint(folderOf(checkpointId));
      try {
        return await Promise.all(
          playTasks.map(async ({ name, label, fields, rules, inText, example, whyNot }) => {
            const reason = await whyNot(checkpoint);
            return { name, label, fields, rules, inText, hasExample: example !== null, reason };
          }),
        );
      } finally {
        await checkpoint.close();
      }
    },
    'play.example': ({ task }) => {
      const { label, example } = playTask(task);
      if (example) return example(new Philox(Date.now(), 'example'));
      throw new AppError('INVALID_REQUEST', `${label} has no random question.`, { hint: 'Type one.' });
    },
    'play.ask': ({ checkpointId, ask, ...question }) => {
      const onTokens = (at: number, tokens: PlayToken[]): void => events.publish({ type: 'answer', ask, at, tokens });
      return play.ask(ask, { ...question, folder: folderOf(checkpointId) }, onTokens);
    },
    'play.cancel': ({ ask }) => {
      play.cancel(ask);
      return { ok: true };
    },
  };
}
