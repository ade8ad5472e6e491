/** Waiting for what a real browser, window or process does in its own time. */
export const sleepMs = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));

/**
 * Asks until the answer is neither undefined, null nor false.
 * @throws after `timeoutMs`, saying `what` was waited for and the last error
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 15_000,
): Promise<Exclude<T, undefined | null | false>> {
  const endMs = Date.now() + timeoutMs;
  let last: unknown = 'no answer';
  while (Date.now() < endMs) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) {
        return answer as Exclude<T, undefined | null | false>;
      }
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleepMs(50);
  }
  throw new Error(`Waited ${timeoutMs / 1000} s for ${what}; last: ${String(last)}`);
}
