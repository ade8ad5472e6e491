/** What pausing a job costs, in words. Pure. */
import type { Job } from '../../main/contract/api.ts';
import { resumesFrom } from '../../main/contract/queue.ts';
import { duration } from '../figures/quantities.ts';

export interface PauseCost {
  /** Where it goes on when it is resumed. */
  text: string;
  /** Work that is done again, ms; 0 where it is little or not known. */
  lostMs: number;
}

export function pauseCost({ kind, state, startedAtMs, resumePoint }: Job, nowMs: number): PauseCost {
  if (state !== 'running' || startedAtMs === null) return { text: 'It keeps its place in the queue.', lostMs: 0 };
  const from = resumesFrom[kind];
  const lostMs = Math.max(0, nowMs - Math.max(startedAtMs, resumePoint?.timeMs ?? 0));
  const ago = duration(lostMs);
  if (from === 'start')
    return { text: `It keeps nothing on the way: it starts again from the beginning (${ago} of work).`, lostMs };
  if (from === 'part')
    return { text: 'What it has finished is kept; the part that is under way is done again.', lostMs: 0 };
  if (resumePoint === null)
    return { text: `It has no checkpoint yet: it starts again from the beginning (${ago} of work).`, lostMs };
  const { step, timeMs } = resumePoint;
  const when = timeMs >= startedAtMs ? `${ago} old` : `which an earlier attempt left; this one has run for ${ago}`;
  return { text: `It goes on from step ${step}, its last checkpoint, ${when}.`, lostMs };
}
