/** What a worker process uses, as its watchdog writes it: JSON lines on a pipe of their own. */

/** Descriptor of the pipe in the worker, after the three standard ones and the channel of messages. */
export const usagePipe = 4;

export interface WorkerUse {
  /** Processor time of all its threads since it was started, and when that was read. */
  cpuMs: number;
  timeMs: number;
  rssBytes: number;
}

/** @returns null for a line that a dying worker has torn */
export function parseUse(line: string): WorkerUse | null {
  try {
    const use = JSON.parse(line) as WorkerUse;
    return [use.cpuMs, use.timeMs, use.rssBytes].every(Number.isFinite) ? use : null;
  } catch {
    return null;
  }
}
