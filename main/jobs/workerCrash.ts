/** Why a worker ended before its job did, in words. */
import type { AppErrorShape } from '../contract/errors.ts';
import type { WorkerEnd } from './workerProcess.ts';

/** What its last lines say about why a worker died, where that has a name of its own. */
function namedCause(lastLines: string[]): Pick<AppErrorShape, 'code' | 'message' | 'hint'> | null {
  const text = lastLines.join('\n');
  if (text.includes('ENOSPC'))
    return { code: 'DISK_FULL', message: 'The disk is full.', hint: 'Free some space, then resume the job.' };
  if (/heap out of memory|std::bad_alloc/.test(text))
    return {
      code: 'OUT_OF_MEMORY',
      message: 'The worker ran out of memory.',
      hint: 'Close other programs, then resume.',
    };
  return null;
}

/** @param lastLines the end of its worker.log */
export function crashError(end: WorkerEnd, lastLines: string[]): AppErrorShape {
  const details = { exitCode: end.code, signal: end.signal, lastLogLines: lastLines };
  const named = namedCause(lastLines);
  if (named) return { ...named, details };
  const how = end.signal ? `was ended by ${end.signal}` : `ended with code ${end.code ?? '?'}`;
  const memory = end.signal === 'SIGKILL' ? ' The system does that when memory runs out.' : '';
  return {
    code: 'WORKER_CRASHED',
    message: end.error ? `The worker could not be started: ${end.error.message}.` : `The worker ${how}.${memory}`,
    hint: 'Resume it: it goes on from its last resume point. The log says what it did last.',
    details,
  };
}
