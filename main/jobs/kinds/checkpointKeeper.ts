/**
 * Which checkpoints of a run (SFT steps, RL iterations) stay on the disk: all of them, or those that were asked for and the
 * peak, the one with the best OOD accuracy on the selection half so far. Another one is written only while it is the best.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { peakOf, type CurvePoint } from '../../ml/statistics/detectors.ts';
import type { JobContext } from '../jobContext.ts';
import { stepFolderName } from './checkpointFolders.ts';
import { jobFacts } from './trainingProgress.ts';

interface KeeperOptions {
  outputFolder: string;
  /** Where step 0 is already: not this run's, neither written nor removed. Null: it is written as the others are. */
  start: string | null;
  /** Steps that stay beside the peak; null: all. */
  keep: readonly number[] | null;
  /** Episodes of the selection half. */
  episodes: number;
}

export function checkpointKeeper(context: JobContext, { outputFolder, start, keep, episodes: n }: KeeperOptions) {
  /** OOD answers right on the selection half, by step. */
  const selected = jobFacts(context, 'selection');
  const curve = (): CurvePoint[] =>
    Object.entries(selected.facts)
      .map(([step, correct]) => ({ step: Number(step), correct, n }))
      .sort((a, b) => a.step - b.step);
  const isAsked = (step: number): boolean => keep === null || keep.includes(step);
  const isOwn = (step: number): boolean => step !== 0 || start === null;
  const folderOf = (step: number): string => (isOwn(step) ? join(outputFolder, stepFolderName(step)) : start!);
  const peakStep = (): number => peakOf(curve()).step;
  return {
    peakStep,
    /**
     * @param write writes the checkpoint; called when it stays for now
     * @returns the folder that this run has written, when it stays whatever comes after it
     */
    async reached(step: number, correct: number, write: (folder: string) => Promise<void>): Promise<string | null> {
      await selected.note({ [step]: correct });
      // A resumed attempt may come again to a step that is known: what lies after it has not happened yet.
      const before = curve().filter((point) => point.step < step);
      const formerPeak = before.length > 0 ? peakOf(before).step : null;
      const isPeak = peakOf([...before, { step, correct, n }]).step === step;
      if (isOwn(step) && (isAsked(step) || isPeak)) await write(folderOf(step));
      if (isPeak && formerPeak !== null && isOwn(formerPeak) && !isAsked(formerPeak))
        await rm(folderOf(formerPeak), { recursive: true, force: true });
      return isOwn(step) && isAsked(step) ? folderOf(step) : null;
    },
    /** Folders of what has stayed, by step; call when the run has ended. */
    kept(): Record<string, string> {
      const peak = peakStep();
      const stayed = curve().filter(({ step }) => isAsked(step) || step === peak);
      return Object.fromEntries(stayed.map(({ step }) => [String(step), folderOf(step)]));
    },
  };
}
