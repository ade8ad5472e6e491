/**
 * What the engine works on, as the desktop shows it: running studies, and jobs that belong to none. Pure; told by
 * electron/attention.ts. Knows nothing of Electron.
 */
import type { Job, Study } from '../main/contract/api.ts';

/** One piece of work that a user started: a study with all its jobs, or one job. */
export interface Work {
  /** Page that shows it. */
  path: string;
  name: string;
  startedAtMs: number;
  /** 0..1, null when it is not known. */
  share: number | null;
}

export interface EndedWork {
  path: string;
  /** "Miniature study": for the title of a notification. */
  name: string;
  /** "has finished", "failed: The disk is full." */
  outcome: string;
  durationMs: number;
}

/** Shorter work ends while its user is still looking, ms. */
export const longWorkMs = 30_000;

export class WorkList {
  private readonly active = new Map<string, Work>();

  get size(): number {
    return this.active.size;
  }

  /** Mean share of what is under way; null when nothing is, NaN when none of it says how far it is. */
  get share(): number | null {
    if (this.active.size === 0) return null;
    const shares = [...this.active.values()].flatMap(({ share }) => (share === null ? [] : [share]));
    return shares.length === 0 ? NaN : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  /** Forgets everything: the engine is gone, and what runs is heard of again when it is back. */
  clear(): void {
    this.active.clear();
  }

  /** A job of a study is the study's affair. @returns what has ended with it */
  putJob(job: Job): EndedWork | null {
    const { progress } = job;
    return this.put(job.id, job.state === 'running', outcomeOf(job.state, job.error?.message), {
      path: `/jobs/${job.id}`,
      name: job.title,
      startedAtMs: job.startedAtMs ?? Date.now(),
      share: progress && progress.total > 0 ? progress.done / progress.total : null,
    });
  }

  /** @returns what has ended with it */
  putStudy(study: Study): EndedWork | null {
    const failed = study.stages.find((stage) => stage.state === 'failed');
    const outcome = outcomeOf(study.state, failed && `${failed.title} did not succeed.`);
    return this.put(study.id, study.state === 'running', outcome, {
      path: `/studies/${study.id}`,
      name: study.name,
      // A resumed study has a beginning of its own: when it was first seen to run.
      startedAtMs: this.active.get(study.id)?.startedAtMs ?? Date.now(),
      share: study.progress,
    });
  }

  private put(id: string, isRunning: boolean, outcome: string | null, work: Work): EndedWork | null {
    if (isRunning) {
      this.active.set(id, work);
      return null;
    }
    const before = this.active.get(id);
    this.active.delete(id);
    if (!before || outcome === null) return null;
    const { path, name } = work;
    return { path, name, outcome, durationMs: Date.now() - before.startedAtMs };
  }
}

/** Null for what the user did: cancelling, quitting. */
function outcomeOf(state: Job['state'] | Study['state'], reason: string | undefined): string | null {
  if (state === 'succeeded') return 'has finished.';
  if (state === 'failed') return `failed. ${reason ?? ''}`.trim();
  return null;
}
