/** Memory of a training stage, asked for before any weight is read. */
import type { Compute } from '../../compute/compute.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import { requireMemory } from '../../ml/model/memoryEstimate.ts';
import type { ModelConfig } from '../../ml/model/modelConfig.ts';
import { modelConfigOf } from '../../ml/model/modelFolder.ts';
import { parameterCount } from '../../ml/model/weights.ts';
import type { RowLengths } from '../../ml/text/lengthBuckets.ts';
import { driftBytes } from '../../ml/training/spectralDrift.ts';
import { physicalCores } from '../physicalCores.ts';

const bytesPerParameter = 4;

async function configOf(folder: string): Promise<ModelConfig> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return modelConfigOf(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

export interface TrainingMemory {
  longest: RowLengths;
  rows: number;
  setting: string;
  /** Further models of this shape that are held, without gradients. */
  frozen?: number;
  /** Whether the spectra are measured at checkpoints. */
  spectra?: boolean;
}

/**
 * @param options.longest tokens of the longest prompt and answer
 * @param options.rows of a micro-batch, which `options.setting` sets
 * @throws OUT_OF_MEMORY with the numbers, and the rows at a time that would fit; as `openCheckpoint`
 */
export async function requireTrainingMemory(
  compute: Compute,
  folder: string,
  { longest, rows, setting, frozen = 0, spectra = false }: TrainingMemory,
): Promise<void> {
  // What a GPU has free is its own affair: it says so itself when it does not fit.
  if (compute.provenance['device'] === 'gpu') return;
  const config = await configOf(folder);
  const held = frozen * bytesPerParameter * parameterCount(config);
  const atCheckpoints = spectra ? driftBytes(config, physicalCores()) : 0;
  const run = { kind: 'training' as const, batch: rows, promptTokens: longest.prompt, answerTokens: longest.answer };
  requireMemory(config, { ...run, atCheckpoints }, process.availableMemory() - held, setting);
}
