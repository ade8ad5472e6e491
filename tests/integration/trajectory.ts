/** A small training run on disk: a base and checkpoints that move away from it. */
import { join } from 'node:path';
import { writeCheckpoint } from '../../main/ml/checkpoints/writeCheckpoint.ts';
import { Philox } from '../../main/ml/random/philox.ts';
import type { WeightMap } from '../../main/ml/model/weights.ts';

const shapes = { q: [96, 96], k: [48, 96], v: [48, 96], o: [96, 96], gate: [160, 96], up: [160, 96], down: [96, 160] };
const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 96,
  intermediate_size: 160,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 64,
};

/** base + step / 1000 of one fixed direction. */
export function weightsAt(step: number, layers = 4): WeightMap {
  const weights: WeightMap = new Map();
  for (let layer = 0; layer < layers; layer++)
    for (const [matrix, shape] of Object.entries(shapes)) {
      const block = 'qkvo'.includes(matrix) ? 'self_attn' : 'mlp';
      const name = `model.layers.${layer}.${block}.${matrix}_proj.weight`;
      const base = new Philox('base', name).gaussians(shape[0]! * shape[1]!);
      const change = new Philox('change', name).gaussians(base.length);
      weights.set(name, { shape, data: base.map((w, i) => w + (step / 1000) * change[i]!) });
    }
  return weights;
}

/** `base` and `run/checkpoint-STEP`. */
export async function writeTrajectory(folder: string, steps: number[]): Promise<{ base: string; run: string }> {
  const [base, run] = [join(folder, 'base'), join(folder, 'run')];
  await writeCheckpoint(base, { config, weights: weightsAt(0) });
  for (const step of steps)
    await writeCheckpoint(join(run, `checkpoint-${step}`), { config, weights: weightsAt(step) });
  return { base, run };
}
