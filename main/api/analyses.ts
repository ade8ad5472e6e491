/** What comparisons and sweeps share: what a job may use, and checkpoints as a job sees them. */
import { createHash } from 'node:crypto';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../contract/errors.ts';
import type { CheckpointRef, SpectralResources } from '../contract/spectral.ts';
import type { EngineContext } from './context.ts';

const bytesPerGB = 1e9;
/** Of the decompositions on the disk, unless ROTASCOPE_SVD_CACHE_GB says otherwise; never over half of what is free. */
const defaultBudgetGB = 20;

/** Decompositions and results of points, by content; all of it can be computed again. */
export const spectralCacheFolder = (dataFolder: string): string => join(dataFolder, 'cache');

export function spectralResources({ dataFolder, cores, store }: EngineContext): SpectralResources {
  const cacheFolder = spectralCacheFolder(dataFolder);
  mkdirSync(cacheFolder, { recursive: true });
  return {
    cacheFolder,
    cacheBudgetBytes: decompositionBudgetBytes(cacheFolder, store.app.engineSettings().decompositionCacheGB),
    threads: cores,
  };
}

/** @param cacheFolder one that is there. @param chosenGB what the user has set, or null */
export function decompositionBudgetBytes(cacheFolder: string, chosenGB: number | null): number {
  const wanted = chosenGB ?? Number(process.env['ROTASCOPE_SVD_CACHE_GB'] ?? defaultBudgetGB);
  const budget = (Number.isFinite(wanted) && wanted >= 0 ? wanted : defaultBudgetGB) * bytesPerGB;
  const { bavail, bsize } = statfsSync(cacheFolder);
  return Math.floor(Math.min(budget, (bavail * bsize) / 2));
}

/** @throws NOT_FOUND it is not in the catalogue, or its files are gone */
export function checkpointRef({ store }: EngineContext, id: string): CheckpointRef {
  const checkpoint = store.checkpoints.get(id);
  if (!checkpoint)
    throw new AppError('NOT_FOUND', 'This checkpoint is not in the list any more.', { hint: 'Import it again.' });
  const { name, folder, step, contentHash, missing } = checkpoint;
  if (missing)
    throw new AppError('NOT_FOUND', `The files of "${name}" are no longer at ${folder}.`, {
      hint: 'Put them back, or link the checkpoint to their new place on its page.',
    });
  return { id, name, folder, step, contentHash };
}

/** Equal orders are the same comparison or sweep. */
export function orderHash(order: unknown): string {
  return createHash('sha256').update(JSON.stringify(order)).digest('hex');
}
