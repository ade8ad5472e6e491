/** What to try when a job has run out of memory: the setting of its own request that takes the most of it, halved. */
import type { AppErrorShape } from '../contract/errors.ts';

/** First the one that changes no result (gradients are gathered over micro-batches). */
const sizes = [
  ['microBatchSize', 'micro-batch size'],
  ['minibatchSize', 'minibatch size'],
  ['batchSize', 'batch size'],
] as const;

/** The error of a job with this request; one without memory names the smaller setting first. */
export function withSmallerSetting(error: AppErrorShape, request: unknown): AppErrorShape {
  if (error.code !== 'OUT_OF_MEMORY') return error;
  for (const [key, words] of sizes) {
    const size = largest(request, key);
    if (size < 2) continue;
    const smaller = Math.ceil(size / 2);
    const hint = `Try a ${words} of ${smaller} (it was ${size}). ${error.hint ?? ''}`.trim();
    return { ...error, hint, details: { ...error.details, tryInstead: { [key]: smaller } } };
  }
  return error;
}

/** The largest number under this key anywhere in the request; 0 without one. */
function largest(value: unknown, key: string): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = (value as Record<string, unknown>)[key];
  return Math.max(typeof own === 'number' ? own : 0, ...Object.values(value).map((inner) => largest(inner, key)));
}
