/** The pair of tiny checkpoints that the spectral fixtures were made from. */
import type { Precision } from '../../../main/contract/spectral.ts';
import { CheckpointDecompositions } from '../../../main/ml/spectral/checkpointDecompositions.ts';
import { readTensors } from '../fixtures.ts';

export function readWeights(folder: string): Map<string, { shape: number[]; data: Float32Array }> {
  const tensors = readTensors(folder, 'model.safetensors');
  return new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
}

/** base = reference, end = target. */
export function openPair<P extends Precision = 'float64'>(precision: P = 'float64' as P) {
  return {
    reference: new CheckpointDecompositions(readWeights('tiny-llama-base'), precision),
    target: new CheckpointDecompositions(readWeights('tiny-llama-end'), precision),
  };
}
