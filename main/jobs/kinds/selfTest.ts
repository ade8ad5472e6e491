/** Does this machine compute right? The checks of `rotascope doctor`, as a job of the app. */
import { runSelfTest } from '../../compute/selfTest.ts';
import { AppError } from '../../contract/errors.ts';
import type { JobKindFunction } from '../jobContext.ts';

/** @throws COMPUTE_FAILED naming the checks that failed, with what to do */
export const kind: JobKindFunction = async ({ compute, emit }) => {
  emit({ type: 'progress', done: 0, total: 1, text: 'Gradients, singular values, matrix products' });
  const { checks } = await runSelfTest(await compute());
  for (const { name, passed, figure } of checks)
    emit({ type: 'log', level: passed ? 'info' : 'error', text: `${name}: ${figure}` });
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length > 0)
    throw new AppError('COMPUTE_FAILED', `${failed.map(({ name, figure }) => `${name}: ${figure}`).join('; ')}.`, {
      hint: failed[0]!.nextStep,
      details: { checks },
    });
  emit({ type: 'progress', done: 1, total: 1, text: `${checks.length} checks passed` });
  return { checks };
};
