/** What pausing a job costs, in words. Pure. */
import type { Job } from '../../main/contract/api.ts';
import { resumesFrom } from '../../main/contract/queue.ts';
import { duration } from '../figures/quantities.ts';

export interface PauseCost {
  /** Where it goes on: the rest of a sentence that begins with "Resumed, ". */
  text: string;
  /** Work that is done again, ms; 0 where it is little or not known. */
  lostMs: number;
}

export function pauseCost({ kind, state, startedAtMs, resumePoint }: Job, nowMs: number): PauseCost {
  if (state !== 'running' || startedAtMs === null) return { text: 'it keeps its place in the queue.', lostMs: 0 };
  const from = resumesFrom[kind];
  if (from === 'part')
    return { text: 'it keeps what it has finished; the part that is under way is done again.', lostMs: 0 };
  const lostMs = Math.max(0, nowMs - Math.max(startedAtMs, resumePoint?.timeMs ?? 0));
  const work = duration(lostMs);
  const why = from === 'start' ? 'it keeps nothing on the way' : 'it has no checkpoint yet';
  if (from === 'start' || resumePoint === null)
    return { text: `it starts again from the beginning, ${work} of work: ${why}.`, lostMs };
  const { step, timeMs } = resumePoint;
  const which = timeMs >= startedAtMs ? 'its last checkpoint' : 'the checkpoint of an earlier attempt';
  return { text: `it goes on from step ${step}, ${which}; what it did since, ${work}, is done again.`, lostMs };
}
