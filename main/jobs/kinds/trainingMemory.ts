/** Memory of a training stage, asked for before any weight is read. */
import type { Compute } from '../../compute/compute.ts';
import { AppError } from '../../contract/errors.ts';
import { hostBytes, type PlannedTraining, requireMemory } from '../../ml/model/memoryEstimate.ts';
import type { ModelConfig } from '../../ml/model/modelConfig.ts';

/**
 * @param run with the lengths of the longest prompt and answer
 * @param setting name of the setting that makes room
 * @throws OUT_OF_MEMORY with the numbers, and the rows at a time that would fit
 */
export function requireTrainingMemory(
  compute: Compute,
  config: ModelConfig,
  run: PlannedTraining,
  setting: string,
): void {
  const available = process.availableMemory();
  if (compute.provenance['device'] !== 'gpu') {
    requireMemory(config, run, available, setting);
    return;
  }
  // What a GPU has free is its own affair: it says so itself when it does not fit.
  const needed = hostBytes(config, run);
  if (needed <= available) return;
  const message = `Beside the GPU's memory, training with ${run.batch} rows at once needs about ${(needed / 1e9).toFixed(1)} GB; ${(available / 1e9).toFixed(1)} GB are free.`; // prettier-ignore
  throw new AppError('OUT_OF_MEMORY', message, {
    hint: run.rl?.anchored ? `Lower ${setting}.` : 'Switch sft.spectralDrift off.',
    details: { needed, available },
  });
}
