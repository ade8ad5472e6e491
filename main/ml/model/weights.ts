/**
 * The weights of a decoder as data: every name, shape and role, in Hugging Face's names and [out, in] layout.
 * Initialisation, import checks, spectra and reversions all read this one list.
 */
import { AppError } from '../../contract/errors.ts';
import type { Philox } from '../random/philox.ts';
import type { ModelConfig } from './modelConfig.ts';

/** Hugging Face names; float32, row-major, [out, in]. */
export type WeightMap = Map<string, { shape: number[]; data: Float32Array }>;

/** The matrices that are decomposed and reverted (paper, section 4.1: W_Q, W_K, W_V and the MLP). */
export const reversibleRoles = ['q', 'k', 'v', 'gate', 'up', 'down'] as const;
export type ReversibleRole = (typeof reversibleRoles)[number];
export type WeightRole = ReversibleRole | 'o' | 'bias' | 'norm' | 'embedding' | 'lmHead';

export interface WeightInfo {
  name: string;
  shape: number[];
  role: WeightRole;
  /** Decoder layer, null outside the layers. */
  layer: number | null;
}

export interface ReversibleMatrix {
  name: string;
  matrix: ReversibleRole;
  layer: number;
  rows: number;
  columns: number;
}

/** Every parameter, in the order of a Hugging Face state dict; a tied lm_head is not listed. */
export function weightCatalogue(config: ModelConfig): WeightInfo[] {
  const list: WeightInfo[] = [
    { name: 'model.embed_tokens.weight', shape: [config.vocabSize, config.hiddenSize], role: 'embedding', layer: null },
  ];
  for (let layer = 0; layer < config.numHiddenLayers; layer++) list.push(...layerWeights(config, layer));
  list.push({ name: 'model.norm.weight', shape: [config.hiddenSize], role: 'norm', layer: null });
  if (!config.tieWordEmbeddings) {
    list.push({ name: 'lm_head.weight', shape: [config.vocabSize, config.hiddenSize], role: 'lmHead', layer: null });
  }
  return list;
}

function layerWeights(config: ModelConfig, layer: number): WeightInfo[] {
  const { hiddenSize, intermediateSize, qkvBias, outputBias, mlpBias } = config;
  const queries = config.numAttentionHeads * config.headDim;
  const keys = config.numKeyValueHeads * config.headDim;
  const prefix = `model.layers.${layer}`;
  const linear = (name: string, role: WeightRole, rows: number, columns: number, bias: boolean): WeightInfo[] => {
    const weight = { name: `${prefix}.${name}.weight`, shape: [rows, columns], role, layer };
    return bias ? [weight, { name: `${prefix}.${name}.bias`, shape: [rows], role: 'bias', layer }] : [weight];
  };
  const norm = (name: string): WeightInfo => {
    return { name: `${prefix}.${name}.weight`, shape: [hiddenSize], role: 'norm', layer };
  };
  return [
    ...linear('self_attn.q_proj', 'q', queries, hiddenSize, qkvBias),
    ...linear('self_attn.k_proj', 'k', keys, hiddenSize, qkvBias),
    ...linear('self_attn.v_proj', 'v', keys, hiddenSize, qkvBias),
    ...linear('self_attn.o_proj', 'o', hiddenSize, queries, outputBias),
    ...linear('mlp.gate_proj', 'gate', intermediateSize, hiddenSize, mlpBias),
    ...linear('mlp.up_proj', 'up', intermediateSize, hiddenSize, mlpBias),
    ...linear('mlp.down_proj', 'down', hiddenSize, intermediateSize, mlpBias),
    norm('input_layernorm'),
    norm('post_attention_layernorm'),
  ];
}

/** q, k, v, gate, up and down of every layer, layer by layer. */
export function reversibleMatrices(config: ModelConfig): ReversibleMatrix[] {
  return weightCatalogue(config).flatMap(({ name, shape, role, layer }) => {
    const matrix = reversibleRoles.find((one) => one === role);
    if (matrix === undefined || layer === null) return [];
    return [{ name, matrix, layer, rows: shape[0]!, columns: shape[1]! }];
  });
}

export const parameterCount = (config: ModelConfig): number =>
  weightCatalogue(config).reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);

/**
 * The initialisation of the miniature recipe: matrices N(0, 1/hidden), o and down half of that deviation, embeddings
 * half of it too, norms 1, biases 0.
 */
export function initWeights(config: ModelConfig, random: Philox): WeightMap {
  const deviation = config.hiddenSize ** -0.5;
  const weights: WeightMap = new Map();
  for (const { name, shape, role } of weightCatalogue(config)) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (role === 'norm') weights.set(name, { shape, data: new Float32Array(count).fill(1) });
    else if (role === 'bias') weights.set(name, { shape, data: new Float32Array(count) });
    else {
      const halved = role === 'o' || role === 'down' || role === 'embedding' || role === 'lmHead';
      const scale = halved ? 0.5 * deviation : deviation;
      weights.set(name, { shape, data: random.gaussians(count).map((value) => value * scale) });
    }
  }
  return weights;
}

/**
 * @throws SHAPE_MISMATCH a weight is missing or has another shape; the first one is named
 */
export function checkWeights(config: ModelConfig, weights: WeightMap): void {
  for (const { name, shape } of weightCatalogue(config)) {
    const found = weights.get(name);
    const hint = 'The weights and config.json have to come from the same checkpoint.';
    if (found === undefined) throw new AppError('SHAPE_MISMATCH', `The weight ${name} is missing.`, { hint });
    if (found.shape.join() !== shape.join()) {
      const message = `${name} is [${found.shape.join(', ')}]; the configuration needs [${shape.join(', ')}].`;
      throw new AppError('SHAPE_MISMATCH', message, { hint });
    }
  }
}
