/**
 * Which checkpoints of an SFT run stay on the disk: all of them, or those that were asked for and the peak, the one with the
 * best OOD accuracy on the selection half so far. Another one is written only while it is the best.
 */
import { rm } from 'node:fs/promises';
import { peakOf, type CurvePoint } from '../../ml/statistics/detectors.ts';
import type { JobContext } from '../jobContext.ts';
import { jobFacts } from './trainingProgress.ts';

interface KeeperOptions {
  folderOf(step: number): string;
  /** Steps that stay beside the peak; null: all. */
  keep: readonly number[] | null;
  /** Episodes of the selection half. */
  episodes: number;
}

export function checkpointKeeper(context: JobContext, { folderOf, keep, episodes: n }: KeeperOptions) {
  /** OOD answers right on the selection half, by step. */
  const selected = jobFacts(context, 'selection');
  const curve = (): CurvePoint[] =>
    Object.entries(selected.facts)
      .map(([step, correct]) => ({ step: Number(step), correct, n }))
      .sort((a, b) => a.step - b.step);
  const isAsked = (step: number): boolean => keep === null || keep.includes(step);
  return {
    peakStep: (): number => peakOf(curve()).step,
    /** Whether it stays whatever comes after it. */
    isAsked,
    /** @param write writes the checkpoint; called when it stays for now */
    async reached(step: number, correct: number, write: () => Promise<void>): Promise<void> {
      await selected.note({ [step]: correct });
      // A resumed attempt may come again to a step that is known: what lies after it has not happened yet.
      const before = curve().filter((point) => point.step < step);
      const formerPeak = before.length > 0 ? peakOf(before).step : null;
      const isPeak = peakOf([...before, { step, correct, n }]).step === step;
      if (!isAsked(step) && !isPeak) return;
      await write();
      if (isPeak && formerPeak !== null && !isAsked(formerPeak))
        await rm(folderOf(formerPeak), { recursive: true, force: true });
    },
  };
}
