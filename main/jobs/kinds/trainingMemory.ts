/** Memory of a training stage, asked for before any weight is read. */
import type { Compute } from '../../compute/compute.ts';
import { openCheckpoint } from '../../ml/checkpoints/openCheckpoint.ts';
import { requireMemory } from '../../ml/model/memoryEstimate.ts';
import type { ModelConfig } from '../../ml/model/modelConfig.ts';
import { modelConfigOf } from '../../ml/model/modelFolder.ts';
import { parameterCount } from '../../ml/model/weights.ts';
import type { RowLengths } from '../../ml/text/lengthBuckets.ts';

const bytesPerParameter = 4;

async function configOf(folder: string): Promise<ModelConfig> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return modelConfigOf(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/**
 * @param longest tokens of the longest prompt and answer
 * @param setting name of the setting that makes room
 * @param frozen further models of this shape that are held, without gradients
 * @throws OUT_OF_MEMORY with the numbers, and the rows at a time that would fit; as `openCheckpoint`
 */
export async function requireTrainingMemory(
  compute: Compute,
  folder: string,
  longest: RowLengths,
  rows: number,
  setting: string,
  frozen = 0,
): Promise<void> {
  // What a GPU has free is its own affair: it says so itself when it does not fit.
  if (compute.provenance['device'] === 'gpu') return;
  const config = await configOf(folder);
  const held = frozen * bytesPerParameter * parameterCount(config);
  const run = { kind: 'training' as const, batch: rows, promptTokens: longest.prompt, answerTokens: longest.answer };
  requireMemory(config, run, process.availableMemory() - held, setting);
}
