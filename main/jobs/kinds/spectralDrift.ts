/** Stable rank and rotation of an SFT run at its checkpoints, and the scratch files of its start. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SftRequest } from '../../contract/requests.ts';
import { isTextTask } from '../../contract/settings.ts';
import { DecompositionCache } from '../../ml/spectral/decompositionCache.ts';
import { openTensorSource } from '../../ml/spectral/tensorSource.ts';
import { spectralDrift } from '../../ml/training/spectralDrift.ts';
import type { JobContext } from '../jobContext.ts';
import { physicalCores } from '../physicalCores.ts';

/**
 * A run in text has the machine to itself; its matrices are large and are compared in float32, as on the page Spectrum.
 * The caller closes it, and removes what it kept once the job's results are written.
 */
export async function openSpectralDrift({ folder, signal }: JobContext, { base, task }: SftRequest) {
  const start = await openTensorSource(base);
  const scratch = join(folder, 'start-spectra');
  const cache = new DecompositionCache(scratch, Infinity);
  const inText = isTextTask(task.name);
  const common = { start, cache, signal };
  return {
    measure: inText
      ? spectralDrift({ ...common, precision: 'float32', threads: physicalCores() })
      : spectralDrift({ ...common, precision: 'float64', threads: 1 }),
    close: () => start.close(),
    remove: () => rm(scratch, { recursive: true, force: true }),
  };
}
