/**
 * What makes two tensors the same tensor: SHA-256 (hex) over type, shape and stored bytes. Decompositions, results of sweeps
 * and the checkpoint's own content hash are named by it.
 */
import { createHash, type Hash } from 'node:crypto';
import type { CheckpointTensor } from './openCheckpoint.ts';

/** Update it with the stored bytes, in order, then take the digest. */
export function startTensorHash({ dtype, shape }: Pick<CheckpointTensor, 'dtype' | 'shape'>): Hash {
  return createHash('sha256').update(`${JSON.stringify([dtype, ...shape])}\n`);
}

/** Over name and hash of every tensor, by name: equal for checkpoints that hold the same weights, however they are split. */
export function contentHash(tensors: readonly { name: string; hash: string }[]): string {
  const ordered = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const all = createHash('sha256');
  for (const { name, hash } of ordered) all.update(`${JSON.stringify([name, hash])}\n`);
  return all.digest('hex');
}
