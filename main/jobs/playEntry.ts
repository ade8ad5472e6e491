/**
 * Entry of the process that answers questions: it opens the backend once and keeps the models that it was asked last, so that
 * the next question to them is answered at once. It ends with the engine.
 */
import { openCompute } from '../compute/compute.ts';
import { AppError, toErrorShape } from '../contract/errors.ts';
import type { PlayToken } from '../contract/play.ts';
import { AskedCheckpoint } from '../ml/play/askedCheckpoint.ts';
import { playTask } from '../ml/play/playTasks.ts';
import type { PlayOrder, PlayReply } from './playProcess.ts';

/** Two, to ask both of a pair the same. */
const keptCheckpoints = 2;
const compute = openCompute({ threads: 1 });
/** The one asked last at the end. */
const checkpoints = new Map<string, AskedCheckpoint>();

/** Lets go of the one that was asked the longest ago. */
function closeOldest(except: string): boolean {
  const oldest = [...checkpoints].find(([folder]) => folder !== except);
  if (oldest === undefined) return false;
  oldest[1].close();
  checkpoints.delete(oldest[0]);
  return true;
}

async function checkpointOf(folder: string): Promise<AskedCheckpoint> {
  const known = checkpoints.get(folder) ?? new AskedCheckpoint(await compute, folder, () => closeOldest(folder));
  checkpoints.delete(folder);
  checkpoints.set(folder, known);
  while (checkpoints.size > keptCheckpoints) closeOldest(folder);
  return known;
}

let running = 0;
const say = (reply: PlayReply): void => void process.send?.(reply);

async function answer({ id, folder, task, ...question }: PlayOrder, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  running = id;
  try {
    const asked = await checkpointOf(folder);
    const watching = { signal, onToken: (token: PlayToken) => say({ id, token }) };
    say({ id, answer: await playTask(task).ask(asked, question, watching) });
  } catch (error) {
    say({ id, error: toErrorShape(error) });
  }
}

const cancels = new Map<number, AbortController>();
/** Stops at its next token when it is running; one that waits for its turn is off the list at once. */
function cancel(id: number): void {
  const reason = new AppError('CANCELLED', 'The question was cancelled.');
  cancels.get(id)?.abort(reason);
  if (id !== running) say({ id, error: toErrorShape(reason) });
}

// One after the other: they share the processor.
let last: Promise<unknown> = Promise.resolve();
process.on('message', (message: PlayOrder | { cancel: number }) => {
  if ('cancel' in message) {
    cancel(message.cancel);
    return;
  }
  const controller = new AbortController();
  cancels.set(message.id, controller);
  last = last.then(() => answer(message, controller.signal)).finally(() => cancels.delete(message.id));
});
process.on('disconnect', () => process.exit(0));
