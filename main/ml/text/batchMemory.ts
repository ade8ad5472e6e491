/** Rows that fit into a share of memory, from the shape of a model: of what a step without gradients holds at once. */
import type { ModelConfig } from '../model/modelConfig.ts';
import type { RowLengths } from './lengthBuckets.ts';

const bytesPerValue = 4;
/** Logits, their exponentials, the chosen ones, and what is being made of them. */
const logitCopies = 4;
/** Residual stream, its norm, queries, keys, values and what attention gives, of one layer at a time. */
const hiddenCopies = 8;
const mlpCopies = 3;
const scoreCopies = 3;
/** More rows are no faster, and finished ones stay longer. */
export const mostRows = 256;

/** The largest power of two of rows whose values take at most `bytes`; 1 where a single one takes more. */
export function rowsWithin(bytes: number, bytesPerRow: number): number {
  const rows = Math.min(mostRows, Math.max(1, Math.floor(bytes / bytesPerRow)));
  return 2 ** Math.floor(Math.log2(rows));
}

function layerBytes({ hiddenSize, intermediateSize, numAttentionHeads }: ModelConfig, tokens: number): number {
  const perToken = hiddenCopies * hiddenSize + mlpCopies * intermediateSize;
  return bytesPerValue * (tokens * perToken + scoreCopies * numAttentionHeads * tokens * tokens);
}

/** One row of teacher-forced losses. */
export function lossRowBytes(config: ModelConfig, { prompt, answer }: RowLengths): number {
  return layerBytes(config, prompt + answer) + bytesPerValue * logitCopies * answer * config.vocabSize;
}

/** One row of a generation: its prompt at once, and a cache that is copied when it is moved on. */
export function generationRowBytes(config: ModelConfig, { prompt, answer }: RowLengths): number {
  const { numHiddenLayers, numKeyValueHeads, headDim, vocabSize } = config;
  const slots = 2 * (prompt + answer);
  const cache = bytesPerValue * 3 * numHiddenLayers * numKeyValueHeads * headDim * slots;
  return layerBytes(config, prompt) + cache + bytesPerValue * logitCopies * vocabSize;
}
