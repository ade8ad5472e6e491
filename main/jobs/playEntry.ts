/**
 * Entry of the process that answers questions: it opens the backend once and keeps the models that it was asked last, so that
 * the next question to them is answered at once. It ends with the engine.
 */
import { openCompute } from '../compute/compute.ts';
import { toErrorShape } from '../contract/errors.ts';
import { openCheckpoint } from '../ml/checkpoints/openCheckpoint.ts';
import type { PlayModel } from '../ml/play/playTask.ts';
import { playTask } from '../ml/play/playTasks.ts';
import type { PlayOrder, PlayReply } from './playProcess.ts';

/** Two, to ask both of a pair the same. */
const keptModels = 2;
const compute = openCompute({ threads: 1 });
/** The one asked last at the end. */
const models = new Map<string, PlayModel>();

async function modelOf({ folder, task }: PlayOrder): Promise<PlayModel> {
  const key = `${task} ${folder}`;
  const known = models.get(key);
  models.delete(key);
  if (known) {
    models.set(key, known);
    return known;
  }
  const checkpoint = await openCheckpoint(folder);
  try {
    const model = await playTask(task).open(await compute, checkpoint);
    models.set(key, model);
  } finally {
    await checkpoint.close();
  }
  for (const [oldest, model] of models) {
    if (models.size <= keptModels) break;
    model.dispose();
    models.delete(oldest);
  }
  return models.get(key)!;
}

async function reply(order: PlayOrder): Promise<PlayReply> {
  try {
    const model = await modelOf(order);
    return { id: order.id, answer: await model.ask(order.inputs, order.split) };
  } catch (error) {
    return { id: order.id, error: toErrorShape(error) };
  }
}

// One after the other: they share the processor.
let last: Promise<unknown> = Promise.resolve();
process.on('message', (order: PlayOrder) => {
  last = last.then(async () => process.send?.(await reply(order)));
});
process.on('disconnect', () => process.exit(0));
