/** Calls that put a question to a checkpoint. */
import { AppError } from '../contract/errors.ts';
import { openCheckpoint } from '../ml/checkpoints/openCheckpoint.ts';
import { playTask, playTasks } from '../ml/play/playTasks.ts';
import { Philox } from '../ml/random/philox.ts';
import type { EngineContext } from './context.ts';
import type { HandlerGroup } from './handlers.ts';

export function playHandlers({ store, play }: EngineContext): HandlerGroup {
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
          playTasks.map(async ({ name, label, fields, rules, whyNot }) => {
            return { name, label, fields, rules, reason: await whyNot(checkpoint) };
          }),
        );
      } finally {
        await checkpoint.close();
      }
    },
    'play.example': ({ task }) => playTask(task).example(new Philox(Date.now(), 'example')),
    'play.ask': ({ checkpointId, ...order }) => play.ask({ ...order, folder: folderOf(checkpointId) }),
    'play.cancel': () => {
      play.stop();
      return { ok: true };
    },
  };
}
