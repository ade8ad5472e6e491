/** Ctrl+C and the like stop what a command follows, so that the same command goes on from there. */
import type { Attached } from './attach.ts';
import { exitCodes } from './exitCodes.ts';

/**
 * @param stop asks an engine that goes on without this command to stop the work; one of our own interrupts its jobs when
 *   it stops
 * @param beforeWords ends what is drawn on the terminal
 * @returns `close()`: closes the connection, unless a pause does and ends the process by itself
 */
export function pauseOnSignals(
  attached: Attached,
  stop: () => Promise<unknown>,
  beforeWords: () => void,
): { close(): Promise<void> } {
  let pausing: Promise<never> | null = null;
  const pause = async (): Promise<never> => {
    beforeWords();
    console.error('Pausing. The same command goes on from here.');
    if (!attached.owned) await stop();
    await attached.close();
    process.exit(exitCodes.interrupted);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      pausing ??= pause().catch(() => process.exit(exitCodes.interrupted));
    });
  return { close: () => pausing ?? attached.close() };
}
