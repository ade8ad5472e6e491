/**
 * The weights of a decoder as data: every name, shape and role, in Hugging Face's names and [out, in] layout.
 * Initialisation, import checks, spectra and reversions all read this one list.
 */
import { AppError } from '../../contract/errors.ts';
import type { Philox } from '../random/philox.ts';
import { weightNames } from './families.ts';
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

/** A linear map's weights, [out, in] and [out]. */
export interface LinearInfo {
  weight: WeightInfo;
  bias: WeightInfo | null;
}

type Projection = 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down';

export interface LayerInfo {
  /** Its number in the checkpoint. */
  layer: number;
  linear: Record<Projection, LinearInfo>;
  /** [headDim]; null where the family has none. */
  qNorm: WeightInfo | null;
  kNorm: WeightInfo | null;
  inputNorm: WeightInfo;
  postAttentionNorm: WeightInfo;
}

/** The weights by what they do. */
export interface DecoderInfo {
  embedding: WeightInfo;
  /** Those that text passes through. */
  layers: LayerInfo[];
  norm: WeightInfo;
  /** null: the embedding is used. */
  lmHead: WeightInfo | null;
}

export function decoderInfo(config: ModelConfig): DecoderInfo {
  const { vocabSize, hiddenSize } = config;
  const names = weightNames(config);
  const outside = (name: string, role: WeightRole, shape: number[]): WeightInfo => ({ name, shape, role, layer: null });
  const numbers = Array.from({ length: config.numHiddenLayers }, (_, layer) => layer);
  return {
    embedding: outside(names.embedding, 'embedding', [vocabSize + config.extraEmbeddingRows, hiddenSize]),
    layers: numbers
      .filter((layer) => !config.skippedLayers.includes(layer))
      .map((layer) => layerInfo(config, layer, `${names.layers}.${layer}`)),
    norm: outside(names.norm, 'norm', [hiddenSize]),
    lmHead: config.tieWordEmbeddings ? null : outside(names.lmHead, 'lmHead', [vocabSize, hiddenSize]),
  };
}

function layerInfo(config: ModelConfig, layer: number, prefix: string): LayerInfo {
  const { hiddenSize, intermediateSize, qkvBias, outputBias, mlpBias, headDim, qkNorm } = config;
  const queries = config.numAttentionHeads * headDim;
  const keys = config.numKeyValueHeads * headDim;
  const linear = (name: string, role: WeightRole, rows: number, columns: number, bias: boolean): LinearInfo => ({
    weight: { name: `${prefix}.${name}.weight`, shape: [rows, columns], role, layer },
    bias: bias ? { name: `${prefix}.${name}.bias`, shape: [rows], role: 'bias', layer } : null,
  });
  const norm = (name: string, width: number): WeightInfo => {
    return { name: `${prefix}.${name}.weight`, shape: [width], role: 'norm', layer };
  };
  return {
    layer,
    linear: {
      q: linear('self_attn.q_proj', 'q', queries, hiddenSize, qkvBias),
      k: linear('self_attn.k_proj', 'k', keys, hiddenSize, qkvBias),
      v: linear('self_attn.v_proj', 'v', keys, hiddenSize, qkvBias),
      o: linear('self_attn.o_proj', 'o', hiddenSize, queries, outputBias),
      gate: linear('mlp.gate_proj', 'gate', intermediateSize, hiddenSize, mlpBias),
      up: linear('mlp.up_proj', 'up', intermediateSize, hiddenSize, mlpBias),
      down: linear('mlp.down_proj', 'down', hiddenSize, intermediateSize, mlpBias),
    },
    qNorm: qkNorm ? norm('self_attn.q_norm', headDim) : null,
    kNorm: qkNorm ? norm('self_attn.k_norm', headDim) : null,
    inputNorm: norm('input_layernorm', hiddenSize),
    postAttentionNorm: norm('post_attention_layernorm', hiddenSize),
  };
}

/**
 * Every parameter that is read, in the order of a Hugging Face state dict; a tied lm_head and the weights of layers that
 * text passes by are not listed.
 */
export function weightCatalogue(config: ModelConfig): WeightInfo[] {
  const { embedding, layers, norm, lmHead } = decoderInfo(config);
  const ofLayer = ({ linear, qNorm, kNorm, inputNorm, postAttentionNorm }: LayerInfo): (WeightInfo | null)[] => {
    const { q, k, v, o, gate, up, down } = linear;
    const both = (...maps: LinearInfo[]) => maps.flatMap(({ weight, bias }) => [weight, bias]);
    return [...both(q, k, v, o), qNorm, kNorm, ...both(gate, up, down), inputNorm, postAttentionNorm];
  };
  return [embedding, ...layers.flatMap(ofLayer), norm, lmHead].filter((weight) => weight !== null);
}

/** q, k, v, gate, up and down of every layer that text passes through, layer by layer. */
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
export function checkWeights(
  config: ModelConfig,
  weights: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): void {
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
