/** The pair of tiny checkpoints that the spectral fixtures were made from. */
import { CheckpointDecompositions } from '../../../main/ml/spectral/checkpointDecompositions.ts';
import { readTensors } from '../fixtures.ts';

export function readWeights(folder: string): Map<string, { shape: number[]; data: Float32Array }> {
  const tensors = readTensors(folder, 'model.safetensors');
  return new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
}

/** base = reference, end = target. */
export function openPair(): { reference: CheckpointDecompositions; target: CheckpointDecompositions } {
  return {
    reference: new CheckpointDecompositions(readWeights('tiny-llama-base')),
    target: new CheckpointDecompositions(readWeights('tiny-llama-end')),
  };
}
