/** Which jobs look after a checkpoint. */
import type { Job } from '../../../main/contract/api.ts';
import { copyRequestSchema, hashRequestSchema } from '../../../main/contract/catalogue.ts';

/** A job that hashes or copies this checkpoint. */
export function jobIsAbout(job: Job, checkpointId: string): boolean {
  if (job.kind === 'copyCheckpoint') return copyRequestSchema.safeParse(job.request).data?.id === checkpointId;
  if (job.kind !== 'hashCheckpoints') return false;
  const request = hashRequestSchema.safeParse(job.request);
  return request.data?.checkpoints.some(({ id }) => id === checkpointId) ?? false;
}
