/**
 * Checkpoints in the shape of real models with random weights: bfloat16, one shard a layer. Layers that nobody analyses may be
 * holes in their files (zeros that take no disk), so that the folder of a 7B model costs what its analysed layers cost.
 */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ModelShape {
  hidden: number;
  mlp: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocabulary: number;
}

export const qwen05b: ModelShape = { hidden: 896, mlp: 4864, layers: 24, heads: 14, kvHeads: 2, headDim: 64, vocabulary: 151_936 }; // prettier-ignore
export const qwen7b: ModelShape = { hidden: 3584, mlp: 18_944, layers: 28, heads: 28, kvHeads: 4, headDim: 128, vocabulary: 152_064 }; // prettier-ignore

export interface SyntheticOptions {
  /** Names the random weights. */
  seed: number;
  /** Size of a second, independent part of the weights, relative to the first: the fine-tuned one of a pair. */
  change?: number;
  /** Layers with weights; the others are holes. All of them unless given. */
  realLayers?: number;
}

const bytesPerElement = 2;
const chunkElements = 2 ** 20;
/** Half the width of the weights' uniform distribution: about the spread of a trained projection. */
const amplitude = 0.05;

type Tensor = [name: string, shape: number[]];

/** The seven projections and two norms of a layer, by their Hugging Face names. */
function layerTensors({ hidden, mlp, heads, kvHeads, headDim }: ModelShape, layer: number): Tensor[] {
  const [q, kv] = [heads * headDim, kvHeads * headDim];
  const tensors: Tensor[] = [
    ['self_attn.q_proj', [q, hidden]],
    ['self_attn.k_proj', [kv, hidden]],
    ['self_attn.v_proj', [kv, hidden]],
    ['self_attn.o_proj', [hidden, q]],
    ['mlp.gate_proj', [mlp, hidden]],
    ['mlp.up_proj', [mlp, hidden]],
    ['mlp.down_proj', [hidden, mlp]],
    ['input_layernorm', [hidden]],
    ['post_attention_layernorm', [hidden]],
  ];
  return tensors.map(([name, size]) => [`model.layers.${layer}.${name}.weight`, size]);
}

/** Writes config, index and shards. */
export async function writeSyntheticCheckpoint(
  folder: string,
  shape: ModelShape,
  { seed, change = 0, realLayers = shape.layers }: SyntheticOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const shards: { tensors: Tensor[]; real: boolean }[] = Array.from({ length: shape.layers }, (_, layer) => {
    return { tensors: layerTensors(shape, layer), real: layer < realLayers };
  });
  const embedding = [shape.vocabulary, shape.hidden];
  shards.push({
    tensors: [['model.embed_tokens.weight', embedding], ['lm_head.weight', embedding], ['model.norm.weight', [shape.hidden]]], // prettier-ignore
    real: false,
  });
  const number = (n: number): string => String(n).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  let totalSize = 0;
  for (const [i, { tensors, real }] of shards.entries()) {
    const file = `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
    for (const [name] of tensors) weightMap[name] = file;
    totalSize += await writeShard(join(folder, file), tensors, real ? { seed: seed * 1000 + i, change } : null);
  }
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(shape), null, 2));
}

function configOf(shape: ModelShape): Record<string, unknown> {
  return {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    hidden_size: shape.hidden,
    intermediate_size: shape.mlp,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    vocab_size: shape.vocabulary,
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    rope_theta: 1_000_000,
    tie_word_embeddings: false,
    torch_dtype: 'bfloat16',
  };
}

/** @returns bytes of the tensors */
async function writeShard(
  path: string,
  tensors: Tensor[],
  weights: { seed: number; change: number } | null,
): Promise<number> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of tensors) {
    const begin = end;
    end += bytesPerElement * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'BF16', shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(Buffer.concat([length, json]));
    if (weights)
      for (const chunk of randomWeights(end / bytesPerElement, weights.seed, weights.change))
        await handle.writeFile(chunk);
    await handle.truncate(8 + json.length + end);
  } finally {
    await handle.close();
  }
  return end;
}

/** Uniform bfloat16 numbers: xorshift32 (Marsaglia 2003), a hundred million a second, is random enough for a benchmark. */
function* randomWeights(count: number, seed: number, change: number): Generator<Uint8Array> {
  const scale = amplitude / 2 ** 31;
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  let changeState = Math.imul(seed + 1, 0x85ebca6b) | 1;
  const values = new Float32Array(chunkElements);
  const bits = new Uint32Array(values.buffer);
  for (let done = 0; done < count; done += chunkElements) {
    const length = Math.min(chunkElements, count - done);
    const chunk = new Uint16Array(length);
    for (let i = 0; i < length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      changeState ^= changeState << 13;
      changeState ^= changeState >>> 17;
      changeState ^= changeState << 5;
      values[i] = scale * (state + change * changeState);
      chunk[i] = bits[i]! >>> 16;
    }
    yield new Uint8Array(chunk.buffer);
  }
}
