/** One model of the fixtures: its configuration, weights, batch and expected numbers, all read from the folder. */
import { openCheckpoint } from '../../../main/ml/checkpoints/openCheckpoint.ts';
import { type ModelConfig, parseModelConfig } from '../../../main/ml/model/modelConfig.ts';
import type { WeightMap } from '../../../main/ml/model/weights.ts';
import { type FixtureTensor, fixturePath, foldersIn, hasFixture, readJson, readTensors, tensor } from '../fixtures.ts';

/** A checkpoint stored in another form than the folder that its reference numbers are called after. */
const furtherFolders = [{ folder: 'tiny-llama-sharded', reference: 'tiny-llama' }];

/** The set that the repository holds; another set may have more models and need not have these. */
const expected = ['tiny-llama', 'tiny-llama-rope3', 'tiny-qwen2', 'tiny-qwen3', 'tiny-mllama'];

export interface ModelCase {
  folder: string;
  reference: string;
  skipped: string | null;
}

export function modelCases(): ModelCase[] {
  const references = [...new Set([...expected, ...foldersIn('refs')])].sort();
  const cases = [...references.map((name) => ({ folder: name, reference: name })), ...furtherFolders];
  return cases.map(({ folder, reference }) => {
    const present = hasFixture(folder, 'config.json') && hasFixture('refs', reference, 'meta.json');
    return { folder, reference, skipped: present ? null : 'absent from the fixtures' };
  });
}

export interface ModelMeta {
  tolerance: {
    logits: number;
    per_token_loss: number;
    hidden_last_token: number;
    grads: Record<string, number>;
    adamw3?: { max_abs: number; p999_abs: number; mean_abs: number; loss_each_step: number };
  };
  inv_freq: number[];
  /** Not for every model. */
  adamw?: { steps: { lr: number; loss: number; grad_norm_before_clip: number; clip_coefficient: number }[] };
}

export interface Batch {
  batch: number;
  tokens: number;
  inputIds: Int32Array;
  attentionMask: Int32Array;
  positionIds: Int32Array;
  /** -100 = no loss */
  labels: Int32Array;
}

export const readMeta = (model: ModelCase): ModelMeta => readJson('refs', model.reference, 'meta.json');

export const readConfig = (model: ModelCase, file = 'config.json'): ModelConfig => {
  return parseModelConfig(readJson(model.folder, file));
};

/** Through the lab's own reader, shards and bfloat16 included. */
export async function readWeights(model: ModelCase): Promise<WeightMap> {
  const checkpoint = await openCheckpoint(fixturePath(model.folder));
  try {
    return await checkpoint.readAll();
  } finally {
    await checkpoint.close();
  }
}

export function readBatch(model: ModelCase): Batch {
  const tensors = readTensors('refs', model.reference, 'inputs.safetensors');
  const ints = (name: string): Int32Array => Int32Array.from(tensor(tensors, name).data);
  const [batch, tokens] = tensor(tensors, 'input_ids').shape as [number, number];
  return {
    batch,
    tokens,
    inputIds: ints('input_ids'),
    attentionMask: ints('attention_mask'),
    positionIds: ints('position_ids'),
    labels: ints('labels'),
  };
}

export const readReference = (model: ModelCase, file: string): Map<string, FixtureTensor> => {
  return readTensors('refs', model.reference, file);
};
