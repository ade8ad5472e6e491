/**
 * What a run needs of memory, before it is started: float32 everywhere, and what the compiled steps hold at their widest.
 * Weights, moments, gradients, cache and logits follow from the shapes; activations are counted by what each layer keeps
 * for its backward pass. Held to measured peaks by `npm run bench -- halfBillion`.
 */
import { AppError } from '../../contract/errors.ts';
import { cacheLengthFor } from './cachedGeneration.ts';
import type { ModelConfig } from './modelConfig.ts';
import { parameterCount, weightCatalogue } from './weights.ts';

export interface PlannedGeneration {
  kind: 'generation';
  /** Rows at once. */
  batch: number;
  promptTokens: number;
  newTokens: number;
}

export interface PlannedTraining {
  kind: 'training';
  /** Rows of a micro-batch: those whose activations are held at once. */
  batch: number;
  promptTokens: number;
  /** Tokens that count in the loss: their logits are held. */
  answerTokens: number;
  /** Of RL: models of this shape that are held without gradients, and whether an anchor reads their distributions. */
  rl?: { frozen: number; anchored: boolean };
  /** Bytes of a penalty on the weights (`rotationPenaltyBytes`). */
  penalty?: { held: number; step: number };
  /** Taken at checkpoints, while no step runs, bytes (`driftBytes`). */
  atCheckpoints?: number;
}

export type PlannedRun = PlannedGeneration | PlannedTraining;

/** Bytes. */
export interface MemoryEstimate {
  weights: number;
  /** Of AdamW. */
  moments: number;
  /** Of the batch gathered so far, and of the present micro-batch. */
  gradients: number;
  activations: number;
  logits: number;
  keyValueCache: number;
  /** Models that are held without gradients. */
  frozen: number;
  /** Distributions of the frozen model on a micro-batch, in JavaScript and in steps. */
  anchor: number;
  /** Bases of a penalty, and its own gradient. */
  penalty: number;
  /** What a checkpoint takes beyond what the steps have let go of by then. */
  checkpoints: number;
  /** Node, TensorFlow and its threads. */
  program: number;
  total: number;
}

const bytesPerValue = 4;
/** Resident size of a process that has opened TensorFlow and compiled its steps. */
const programBytes = 700e6;

/** Beside them in RL: the compiled steps of rollouts, scores and the critic. Measured with a tenth of Qwen2.5-0.5B. */
const rlProgramBytes = 300e6;

/**
 * Copies of what a row has at once, by kind; counted in the ops of `decoderLayer`, `attend`, `swiGlu` and `tokenNll`.
 * Forward only, one layer's are alive at a time; with gradients, those that the backward pass reads are of every layer.
 */
const forward = { hidden: 6, queries: 4, keyValues: 4, mlp: 4, scores: 3, logits: 4 };
const kept = { hidden: 5, queries: 4, keyValues: 4, mlp: 5, scores: 2, logits: 7 };
/** Of the frozen model's distributions; measured, those that wait to be freed included. In JavaScript: what is read, fed, and fed last. */
const anchorCopies = { all: 10, host: 3 };
/** The cache, and its successor while a step writes it. */
const cacheCopies = 2;
/** Gradient, its square, both moments and the update of the weights that the optimizer goes through together. */
const updateCopies = 6;
/** As many elements, or the largest weight. */
const updatedTogether = 32e6;

function layerValues(config: ModelConfig, copies: typeof kept, rows: number, tokens: number): number {
  const { hiddenSize, intermediateSize, numAttentionHeads: heads, numKeyValueHeads: kvHeads, headDim } = config;
  const perToken =
    copies.hidden * hiddenSize +
    copies.queries * heads * headDim +
    copies.keyValues * kvHeads * headDim +
    copies.mlp * intermediateSize;
  return rows * tokens * (perToken + copies.scores * heads * tokens);
}

export function estimateMemory(config: ModelConfig, run: PlannedRun): MemoryEstimate {
  const weights = bytesPerValue * parameterCount(config);
  const layers = config.numHiddenLayers - config.skippedLayers.length;
  const bytes = (values: number): number => bytesPerValue * values;
  const { batch, promptTokens } = run;
  const nothing = { moments: 0, gradients: 0, keyValueCache: 0, frozen: 0, anchor: 0, penalty: 0, checkpoints: 0 };
  const parts = { ...nothing, weights, program: programBytes };
  if (run.kind === 'generation') {
    const slots = cacheLengthFor(promptTokens + run.newTokens);
    const cache = 2 * layers * batch * config.numKeyValueHeads * config.headDim * slots;
    return summed({
      ...parts,
      activations: bytes(layerValues(config, forward, batch, promptTokens)),
      logits: bytes(forward.logits * batch * config.vocabSize),
      keyValueCache: bytes(cacheCopies * cache),
    });
  }
  const tokens = promptTokens + run.answerTokens;
  const alive = layers * layerValues(config, kept, batch, tokens) + layerValues(config, forward, batch, tokens);
  const logits = kept.logits * batch * run.answerTokens * config.vocabSize;
  const sizes = weightCatalogue(config).map(({ shape }) => shape.reduce((size, one) => size * one, 1));
  const together = Math.max(...sizes, Math.min(updatedTogether, parameterCount(config)));
  // The backward pass has let go of most activations when the last gradients are made, and of all when weights change.
  const backward = bytes(alive + logits);
  const update = bytes(updateCopies * together);
  const step = Math.max(backward, update);
  return summed({
    ...parts,
    moments: 2 * weights,
    gradients: 2 * weights,
    activations: step - bytes(logits),
    logits: bytes(logits),
    frozen: (run.rl?.frozen ?? 0) * weights,
    anchor: anchorCopies.all * distributionBytes(config, run),
    penalty: (run.penalty?.held ?? 0) + (run.penalty?.step ?? 0),
    checkpoints: Math.max(0, (run.atCheckpoints ?? 0) - step),
    program: programBytes + (run.rl ? rlProgramBytes : 0),
  });
}

/** Of a frozen model on a micro-batch; 0 without an anchor. */
function distributionBytes({ vocabSize }: ModelConfig, { batch, answerTokens, rl }: PlannedTraining): number {
  return rl?.anchored ? bytesPerValue * batch * answerTokens * vocabSize : 0;
}

/** What a run on a GPU takes of the machine's own memory: the model and its steps are not there. Not measured yet. */
export function hostBytes(config: ModelConfig, run: PlannedTraining): number {
  return programBytes + Math.max(anchorCopies.host * distributionBytes(config, run), run.atCheckpoints ?? 0);
}

function summed(parts: Omit<MemoryEstimate, 'total'>): MemoryEstimate {
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

/**
 * @param availableBytes what the run may take, the program itself included
 * @param setting what sets the rows of a micro-batch, for the next step in the error
 * @returns the estimate, when it fits
 * @throws OUT_OF_MEMORY with the figures in words and in `details`, and the largest batch that would fit
 */
export function requireMemory(
  config: ModelConfig,
  run: PlannedRun,
  availableBytes: number,
  setting = 'the micro-batch',
): MemoryEstimate {
  const estimate = estimateMemory(config, run);
  if (estimate.total <= availableBytes) return estimate;
  const batch = largestBatch(config, run, availableBytes);
  const parts = (Object.keys(partLabels) as (keyof typeof partLabels)[])
    .filter((part) => estimate[part] >= 0.01 * estimate.total)
    .map((part) => `${partLabels[part]} ${gigabytes(estimate[part])}`);
  const what = run.kind === 'generation' ? 'Generation' : 'Training';
  const rows = run.batch === 1 ? '1 row' : `${run.batch} rows`;
  const message = `${what} with ${rows} at once needs about ${gigabytes(estimate.total)} of memory; ${gigabytes(availableBytes)} are free (${parts.join(', ')}).`; // prettier-ignore
  throw new AppError('OUT_OF_MEMORY', message, {
    hint: hintFor(run, batch, setting),
    details: { estimate, availableBytes, largestBatch: batch },
  });
}

const partLabels = {
  weights: 'weights',
  moments: "AdamW's moments",
  gradients: 'gradients',
  activations: 'activations',
  logits: 'logits',
  keyValueCache: 'cache',
  frozen: 'the frozen base',
  anchor: "the anchor's distributions",
  penalty: 'the rotation penalty',
  checkpoints: 'spectra at checkpoints',
} as const;

function hintFor(run: PlannedRun, batch: number, setting: string): string {
  if (batch === 0)
    return 'A single row does not fit. Use shorter texts, a smaller model, or a machine with more memory.';
  const rows = batch === 1 ? '1 row fits' : `${batch} rows fit`;
  if (run.kind === 'generation') return `${rows}: lower the batch size to ${batch}.`;
  return `${rows}: set ${setting} to ${batch}; gradients of ${Math.ceil(run.batch / batch)} micro-batches are gathered.`;
}

/** The largest batch below the one asked for that fits; 0: none. */
function largestBatch(config: ModelConfig, run: PlannedRun, availableBytes: number): number {
  const fits = (batch: number): boolean => estimateMemory(config, { ...run, batch }).total <= availableBytes;
  let [low, high] = [0, run.batch];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;
