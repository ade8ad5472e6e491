/** Lineage of the checkpoints that a study writes, from what its stages were asked to do. */
import type { Job } from '../contract/api.ts';
import { rlRequestSchema, sftRequestSchema } from '../contract/requests.ts';
import type { Store } from '../store/store.ts';

/** Folder of the checkpoint that a training stage started from. */
function startOf(job: Job): string | null {
  if (job.kind === 'sft') return sftRequestSchema.pick({ base: true }).safeParse(job.request).data?.base ?? null;
  if (job.kind === 'rl') return rlRequestSchema.pick({ start: true }).safeParse(job.request).data?.start ?? null;
  return null;
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
  for (const { folder } of store.results.evaluations(job.id)) {
    const one = folder === null ? undefined : store.checkpoints.byFolder(folder);
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
