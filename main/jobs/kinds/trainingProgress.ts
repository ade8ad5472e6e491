/** What the training kinds share: progress with time left, resume states, small facts that survive a restart. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { Evaluation } from '../../contract/evaluation.ts';
import { forgettingAlert, type OodScore } from '../../ml/statistics/forgettingAlert.ts';
import { hasResumeState } from '../../ml/training/resumeState.ts';
import type { Trainer } from '../../ml/training/trainingRun.ts';
import type { JobContext } from '../jobContext.ts';

/** Between two progress events, ms. */
const progressIntervalMs = 250;

/** @returns `report(done, what)`: emits progress now and then, with the time left by this attempt's own pace */
export function progressReporter(context: JobContext, total: number, text: (done: number) => string) {
  let first: { done: number; timeMs: number } | null = null;
  let lastMs = 0;
  return (done: number, what?: string): void => {
    const nowMs = Date.now();
    first ??= { done, timeMs: nowMs };
    if (nowMs - lastMs < progressIntervalMs && (done < total || what !== undefined)) return;
    lastMs = nowMs;
    const pace = done > first.done ? (nowMs - first.timeMs) / (done - first.done) : null;
    const left = pace === null ? {} : { remainingMs: Math.round(pace * (total - done)) };
    context.emit({
      type: 'progress',
      done,
      total,
      text: what === undefined ? text(done) : `${text(done)}, ${what}`,
      ...left,
    });
  };
}

/** Writing states of a large model takes at most about this share of the time. */
const resumeShare = 0.05;
/** Between two states at least, ms. */
const resumeIntervalMs = 500;

/**
 * Where a training job goes on from, and how it leaves such places behind.
 * @param everySteps null: as often as writing a state is worth the time that it saves
 */
export async function resumeStates(context: JobContext, everySteps: number | null) {
  const folder = join(context.folder, 'resume');
  // The first step leaves one: a disk that is too small says so at once.
  let nextMs = 0;
  return {
    resume: (await hasResumeState(folder)) ? folder : undefined,
    resumeEverySteps: everySteps ?? 1,
    /** Megabytes that nobody needs once the job's results are written. */
    removeResumeState: () => rm(folder, { recursive: true, force: true }),
    onResumePoint: async (step: number, trainer: Trainer): Promise<void> => {
      const startMs = Date.now();
      if (everySteps === null && startMs < nextMs) return;
      await trainer.saveResumeState(folder);
      context.emit({ type: 'resumePoint', step });
      nextMs = Date.now() + Math.max(resumeIntervalMs, (Date.now() - startMs) / resumeShare);
    },
  };
}

/**
 * Facts of a job by name that a resumed attempt needs and would not compute again. A fact noted again gets its new value,
 * which is the same one: runs repeat bit for bit.
 */
export function jobFacts<T = number>(context: JobContext, name: string) {
  const file = join(context.folder, `${name}.json`);
  const facts = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Record<string, T>;
  return {
    facts,
    note: async (entries: Record<string, T>): Promise<void> => {
      Object.assign(facts, entries);
      await writeFileAtomic(file, JSON.stringify(facts));
    },
  };
}

/** Says so at the first checkpoint at which OOD accuracy has dropped twice in a row; once a run, over all its attempts. */
export function forgettingWatch(context: JobContext) {
  const scores = jobFacts<OodScore>(context, 'ood');
  const said = jobFacts(context, 'alert');
  return async (step: number, { ood: { n, correct, outcomes } }: Evaluation): Promise<void> => {
    await scores.note({ [step]: { n, correct, outcomes } });
    // A resumed attempt may come again to a step that is known: what lies after it has not happened yet.
    const curve = Object.entries(scores.facts)
      .map(([at, ood]) => ({ step: Number(at), ood }))
      .filter((point) => point.step <= step)
      .sort((a, b) => a.step - b.step);
    const alert = forgettingAlert(curve);
    if (alert === null || (said.facts['step'] ?? step) < step) return;
    await said.note({ step });
    context.emit({ type: 'alert', step, text: alert.text });
  };
}
