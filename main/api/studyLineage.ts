/** Lineage of the checkpoints that a study writes, from what its stages were asked to do. */
import type { Job } from '../contract/api.ts';
import { rlRequestSchema, sftRequestSchema, stageOutputSchemas } from '../contract/requests.ts';
import type { Store } from '../store/store.ts';

/** Folder of the checkpoint that a training stage started from. */
function startOf(job: Job): string | null {
  if (job.kind === 'sft') return sftRequestSchema.pick({ base: true }).safeParse(job.request).data?.base ?? null;
  if (job.kind === 'rl') return rlRequestSchema.pick({ start: true }).safeParse(job.request).data?.start ?? null;
  return null;
}

/** What SFT and RL have in common of what they leave. */
const leftSchema = stageOutputSchemas.rl.pick({ checkpoints: true });

/** Checkpoints that a training stage has written so far; a peak may be known as one only at the end. */
export function writtenCheckpoints(store: Store, job: Job): { folder: string; step: number }[] {
  const evaluated = store.results.evaluations(job.id).flatMap(({ folder, step }) => {
    return folder === null ? [] : [{ folder, step }];
  });
  const { data: output } = leftSchema.safeParse(store.jobs.output(job.id));
  const start = startOf(job);
  const known = new Set([start, ...evaluated.map(({ folder }) => folder)]);
  const left = Object.entries(output?.checkpoints ?? {}).filter(([, folder]) => !known.has(folder));
  return [...evaluated, ...left.map(([step, folder]) => ({ folder, step: Number(step) }))];
}

/**
 * The checkpoints that a training stage left are its trajectory. What training started from is both their origin and what a
 * reversion of the stage goes back to. What the user has said stays.
 */
export function setStudyLineage(store: Store, job: Job): void {
  const start = startOf(job);
  const study = job.studyId === null ? undefined : store.studies.get(job.studyId);
  if (start === null || !study) return;
  const startId = store.checkpoints.byFolder(start)?.id ?? null;
  for (const { folder } of writtenCheckpoints(store, job)) {
    const one = store.checkpoints.byFolder(folder);
    if (!one || one.trajectory !== null) continue;
    const base = startId === one.id ? null : startId;
    const { referenceId, parentId } = one;
    store.checkpoints.update(one.id, {
      trajectory: `${study.name} · ${job.title}`.slice(0, 200),
      referenceId: referenceId ?? base,
      parentId: parentId ?? base,
    });
  }
}
