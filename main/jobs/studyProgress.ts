/** A study as its views see it: stages, share done and time left, from stored rows. */
import type { Job, Study } from '../contract/api.ts';
import type { StageRecord, StudyRecord } from '../store/studyStore.ts';
import { makespanMs } from './timeLeft.ts';

function shareDone(stage: StageRecord, job: Job | undefined): number {
  if (stage.state === 'succeeded') return 1;
  if (!job?.progress || job.progress.total <= 0) return 0;
  return Math.min(1, job.progress.done / job.progress.total);
}

/**
 * Real time per second of weight on this machine: from finished stages, else from the ones under way.
 * @returns null when nothing has run long enough to tell
 */
export function measuredMsPerWeight(
  stages: readonly StageRecord[],
  jobs: ReadonlyMap<string, Job>,
  nowMs: number,
): number | null {
  const rate = (state: string): number | null => {
    let spentMs = 0;
    let weight = 0;
    for (const stage of stages) {
      const job = stage.jobId ? jobs.get(stage.jobId) : undefined;
      // A resumed job's clock does not hold the time of its earlier attempts.
      if (stage.state !== state || !job?.startedAtMs || job.attempt > 1) continue;
      spentMs += (job.endedAtMs ?? nowMs) - job.startedAtMs;
      weight += stage.weight * shareDone(stage, job);
    }
    return weight > 0.5 ? spentMs / weight : null;
  };
  return rate('succeeded') ?? rate('running');
}

/** @param msPerWeight what to assume until this study has measured its own */
export function toStudy(
  record: StudyRecord,
  stages: readonly StageRecord[],
  jobs: ReadonlyMap<string, Job>,
  slots: number,
  msPerWeight: number,
  alertOf: (jobId: string) => string | null,
): Study {
  const share = (stage: StageRecord): number => shareDone(stage, stage.jobId ? jobs.get(stage.jobId) : undefined);
  const total = stages.reduce((sum, { weight }) => sum + weight, 0);
  const done = stages.reduce((sum, stage) => sum + stage.weight * share(stage), 0);
  const pace = measuredMsPerWeight(stages, jobs, Date.now()) ?? msPerWeight;
  const left = stages
    .filter(({ state }) => state !== 'succeeded')
    .map((stage) => ({ ...stage, durationMs: stage.weight * (1 - share(stage)) * pace }));
  return {
    id: record.id,
    name: record.name,
    settings: record.settings,
    state: record.state,
    sample: record.sample,
    stages: stages.map(({ weight: _, output: __, note: ___, ...stage }) => {
      const mayWarn = stage.jobId !== null && (stage.kind === 'sft' || stage.kind === 'rl');
      return { ...stage, alert: mayWarn ? alertOf(stage.jobId!) : null };
    }),
    createdAtMs: record.createdAtMs,
    endedAtMs: record.endedAtMs,
    revision: record.revision,
    progress: total > 0 ? done / total : 0,
    remainingMs: record.state === 'running' ? makespanMs(left, slots) : null,
  };
}
