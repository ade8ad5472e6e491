/**
 * A limit on the time of synchronous code that runs what a checkpoint's files say: a regular expression or a template may
 * take for ever, and nothing else can stop it.
 */
import vm from 'node:vm';
import { AppError } from '../../contract/errors.ts';

const box = vm.createContext({ run: (): unknown => undefined });
const script = new vm.Script('run()');

/**
 * @param what for the message: "The chat template"
 * @throws CHECKPOINT_INVALID after `milliseconds`; whatever `task` throws
 */
export function withDeadline<T>(what: string, milliseconds: number, task: () => T): T {
  box['run'] = task;
  try {
    return script.runInContext(box, { timeout: milliseconds }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new AppError('CHECKPOINT_INVALID', `${what} was not done after ${milliseconds / 1000} s.`, {
      hint: 'Use the files of a checkpoint that you trust, or a shorter text.',
      cause: error,
    });
  }
}
