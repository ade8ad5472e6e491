/**
 * A model in a session: its weights as variables under their Hugging Face names, and the compiled steps that read them.
 * Training, evaluation and ablations share one object, so that nothing is copied between them.
 */
import type { Compute } from '../../compute/compute.ts';
import type {
  CompiledStep,
  HostArray,
  HostTensor,
  Session,
  StepFunction,
  Tensor,
  TensorSpec,
  Tf,
  Variable,
} from '../../compute/session.ts';
import { AppError } from '../../contract/errors.ts';
import type { Philox } from '../random/philox.ts';
import { type GeneratingModel, generateCached } from './cachedGeneration.ts';
import { decode, outputLogits, prepareWeights, toBatchMajor, toTokenMajor } from './decoder.ts';
import { type RolloutShape, rollout, rolloutInputs } from './generation.ts';
import { lastTokenStates, stateCount } from './hiddenStates.ts';
import type { ModelConfig } from './modelConfig.ts';
import type { SamplingMode } from './sampling.ts';
import { prepareTokenWeights } from './tokenDecoder.ts';
import { tokenNll } from './tokenNll.ts';
import { type WeightMap, checkWeights, weightCatalogue } from './weights.ts';

/** Rows of one generation or evaluation batch at most; more rows are run in equal chunks. */
const MAX_BATCH_ROWS = 320;

export type Decoding =
  | { mode: 'greedy' }
  /** Nucleus sampling when `topP` is given. `random` gives newTokens * rows uniforms. */
  | { mode: 'sample'; temperature: number; topP?: number; random: Philox };

export interface GenerationRequest {
  /** Row-major [rows, promptLength] */
  prompts: Int32Array;
  promptLength: number;
  newTokens: number;
  decoding: Decoding;
  /** Left-padded prompts: 1 = token, 0 = padding, [rows, promptLength]. */
  attentionMask?: Int32Array;
  stopIds: number[];
  padId: number;
  /**
   * A further sign that an answer has ended (a stop string): how many of its tokens to keep, or null to go on. Asked
   * every few tokens.
   */
  stopAt?: (tokens: readonly number[]) => number | null;
  /** Chosen by length and model unless given: all tokens in one step, or a few a step over a cache of fixed size. */
  method?: 'unrolled' | 'cached';
}

/** Tokens times layers up to which one unrolled step is compiled in reasonable time, and faster than several. */
const maxUnrolledLayers = 128;

/** Weights that need not be in memory all at once. */
export interface WeightSource {
  shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** One weight in row-major order, widened to float32. */
  pieces(name: string): AsyncIterable<Float32Array>;
}

export class LanguageModel {
  readonly compute: Compute;
  readonly config: ModelConfig;
  readonly session: Session;
  readonly #variables = new Map<string, Variable>();
  readonly #steps = new Map<string, CompiledStep>();

  /**
   * @param weights null: zeros, to be written before they are used
   * @throws SHAPE_MISMATCH a weight is missing or has another shape
   */
  constructor(compute: Compute, config: ModelConfig, weights: WeightMap | null, options: { eager?: boolean } = {}) {
    if (weights !== null) checkWeights(config, weights);
    this.compute = compute;
    this.config = config;
    this.session = compute.openSession(options);
    for (const { name, shape } of weightCatalogue(config)) {
      this.addVariable(name, shape, weights === null ? null : weights.get(name)!.data);
    }
  }

  /**
   * The model with its weights read one piece after the other: beside the model there is one piece in memory.
   * @throws SHAPE_MISMATCH a weight is missing or has another shape
   */
  static async load(compute: Compute, config: ModelConfig, source: WeightSource): Promise<LanguageModel> {
    checkWeights(config, source.shapes);
    const model = new LanguageModel(compute, config, null);
    try {
      for (const { name } of weightCatalogue(config)) await model.session.fill(name, source.pieces(name));
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  get tf(): Tf {
    return this.compute.tf;
  }

  /** A further trainable variable (a value head, say); it is no part of `readWeights`. */
  addVariable(name: string, shape: number[], value: Float32Array | null): Variable {
    const variable = this.session.variable(name, shape, value);
    this.#variables.set(name, variable);
    return variable;
  }

  /** @throws NOT_FOUND */
  readonly variable = (name: string): Variable => {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new AppError('NOT_FOUND', `The model has no variable "${name}".`);
    return variable;
  };

  /** A copy of the present weights. */
  async readWeights(): Promise<WeightMap> {
    const weights: WeightMap = new Map();
    for (const { name, shape } of weightCatalogue(this.config)) {
      weights.set(name, { shape, data: await this.session.read(name) });
    }
    return weights;
  }

  /**
   * Replaces the weights; compiled steps stay.
   * @throws SHAPE_MISMATCH
   */
  async writeWeights(weights: WeightMap): Promise<void> {
    checkWeights(this.config, weights);
    for (const { name } of weightCatalogue(this.config)) await this.session.write(name, weights.get(name)!.data);
  }

  /** The step of this name and these inputs, compiled at the first call. */
  step(name: string, inputs: Record<string, TensorSpec>, step: StepFunction): CompiledStep {
    const key = `${name} ${JSON.stringify(inputs)}`;
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const compiled = this.session.compile(name, inputs, step);
    this.#steps.set(key, compiled);
    return compiled;
  }

  /** @returns row-major [rows, newTokens]: the answers, `padId` after their end */
  async generate(request: GenerationRequest): Promise<Int32Array> {
    const { newTokens, decoding, stopAt } = request;
    const rows = rowCount(request.prompts, request.promptLength);
    const uniforms = decoding.mode === 'sample' ? decoding.random.uniforms(newTokens * rows) : null;
    const short = newTokens * (stateCount(this.config) - 1) <= maxUnrolledLayers && stopAt === undefined;
    const method = request.method ?? (short ? 'unrolled' : 'cached');
    return method === 'cached'
      ? this.#generateCached(request, rows, uniforms)
      : this.#generateUnrolled(request, rows, uniforms);
  }

  async #generateCached(request: GenerationRequest, rows: number, uniforms: Float32Array | null): Promise<Int32Array> {
    const { prompts, promptLength, newTokens, decoding, attentionMask, stopIds, padId, stopAt } = request;
    const { tf, config, session } = this;
    const model: GeneratingModel = {
      ...{ tf, config, session },
      step: (...args) => this.step(...args),
      weights: () => prepareTokenWeights(tf, config, this.variable),
    };
    const sampling =
      decoding.mode === 'greedy'
        ? { temperature: 1, topP: 1 }
        : { temperature: decoding.temperature, topP: decoding.topP ?? 1 };
    const out = new Int32Array(rows * newTokens);
    for (const { start, count } of equalChunks(rows)) {
      const answers = await generateCached(model, {
        ...{ promptLength, newTokens, mode: modeOf(decoding), stopIds, padId, stopAt, ...sampling },
        prompts: rowsOf(prompts, promptLength, start, count),
        attentionMask: attentionMask && rowsOf(attentionMask, promptLength, start, count),
        uniforms: uniforms && columnsOf(uniforms, newTokens, rows, start, count),
      });
      out.set(answers.subarray(0, Math.min(count, rows - start) * newTokens), start * newTokens);
    }
    return out;
  }

  async #generateUnrolled(
    request: GenerationRequest,
    rows: number,
    uniforms: Float32Array | null,
  ): Promise<Int32Array> {
    const { prompts, promptLength, newTokens, decoding, attentionMask } = request;
    const out = new Int32Array(rows * newTokens);
    for (const { start, count } of equalChunks(rows)) {
      const mode = modeOf(decoding);
      const padded = attentionMask !== undefined;
      const { stopIds, padId } = request;
      const shape: RolloutShape = { batch: count, promptLength, newTokens, mode, padded, stopIds, padId };
      const inputs: Record<string, HostArray> = { prompts: rowsOf(prompts, promptLength, start, count) };
      if (attentionMask) inputs['attentionMask'] = rowsOf(attentionMask, promptLength, start, count);
      if (decoding.mode === 'sample') {
        inputs['uniforms'] = columnsOf(uniforms!, newTokens, rows, start, count);
        inputs['temperature'] = Float32Array.of(decoding.temperature);
        if (decoding.topP !== undefined) inputs['topP'] = Float32Array.of(decoding.topP);
      }
      const { tokens } = (await this.#rolloutStep(shape).run(inputs)) as { tokens: HostTensor };
      const kept = Math.min(count, rows - start);
      out.set(tokens.data.subarray(0, kept * newTokens), start * newTokens);
    }
    return out;
  }

  #rolloutStep(shape: RolloutShape): CompiledStep {
    const { tf, config } = this;
    return this.step(`generate ${JSON.stringify(shape)}`, rolloutInputs(shape), (inputs) => {
      return { tokens: rollout(tf, config, prepareTokenWeights(tf, config, this.variable), inputs, shape) };
    });
  }

  /**
   * Teacher-forced cross-entropy of every answer token, in nats; 0 at padding.
   * @param sequences row-major [rows, length], prompt and answer
   * @returns row-major [rows, length - promptLength]
   */
  async tokenLosses(sequences: Int32Array, length: number, promptLength: number, padId: number): Promise<Float32Array> {
    const rows = rowCount(sequences, length);
    const answerLength = length - promptLength;
    const out = new Float32Array(rows * answerLength);
    for (const { start, count } of equalChunks(rows)) {
      const step = this.#tokenLossStep(count, length, promptLength, padId);
      const { losses } = (await step.run({ sequences: rowsOf(sequences, length, start, count) })) as {
        losses: HostTensor;
      };
      const kept = Math.min(count, rows - start);
      out.set(losses.data.subarray(0, kept * answerLength), start * answerLength);
    }
    return out;
  }

  #tokenLossStep(batch: number, length: number, promptLength: number, padId: number): CompiledStep {
    const { tf, config } = this;
    const specs: Record<string, TensorSpec> = { sequences: { shape: [batch, length], dtype: 'int32' } };
    return this.step(`tokenLosses ${batch} ${length} ${promptLength} ${padId}`, specs, (inputs) => {
      const weights = prepareWeights(tf, config, this.variable);
      const { nll, mask } = answerNll(tf, config, weights, inputs['sequences']!, promptLength, padId);
      return { losses: toBatchMajor(tf, tf.mul(nll, mask), batch) };
    });
  }

  /**
   * Hidden states of every prompt's last token, after the embedding and each layer; see `lastTokenStates`.
   * @param prompts row-major [rows, promptLength], left-padded where `attentionMask` [rows, promptLength] is 0
   * @returns row-major [states, rows, hidden]
   */
  async hiddenLastToken(
    prompts: Int32Array,
    promptLength: number,
    attentionMask?: Int32Array,
  ): Promise<{ shape: [number, number, number]; data: Float32Array }> {
    const { tf, config } = this;
    const rows = rowCount(prompts, promptLength);
    const states = stateCount(config);
    const data = new Float32Array(states * rows * config.hiddenSize);
    for (const { start, count } of equalChunks(rows)) {
      const spec: TensorSpec = { shape: [count, promptLength], dtype: 'int32' };
      const specs: Record<string, TensorSpec> = { prompts: spec, ...(attentionMask && { attentionMask: spec }) };
      const step = this.step('hiddenLastToken', specs, (inputs) => {
        const weights = prepareWeights(tf, config, this.variable);
        return { states: lastTokenStates(tf, config, weights, inputs['prompts']!, inputs['attentionMask']) };
      });
      const values: Record<string, HostArray> = { prompts: rowsOf(prompts, promptLength, start, count) };
      if (attentionMask) values['attentionMask'] = rowsOf(attentionMask, promptLength, start, count);
      const chunk = (await step.run(values))['states']!.data as Float32Array;
      const width = Math.min(count, rows - start) * config.hiddenSize;
      for (let state = 0; state < states; state++) {
        const from = state * count * config.hiddenSize;
        data.set(chunk.subarray(from, from + width), (state * rows + start) * config.hiddenSize);
      }
    }
    return { shape: [states, rows, config.hiddenSize], data };
  }

  dispose(): void {
    for (const step of this.#steps.values()) step.dispose();
    this.#steps.clear();
    this.session.dispose();
  }
}

/**
 * Cross-entropy of the answer tokens given everything before them.
 * @param sequences int32 [batch, length]
 * @returns `nll` and `mask` (1 where the target is no padding), float32 [(length - promptLength) * batch], token-major
 */
export function answerNll(
  tf: Tf,
  config: ModelConfig,
  weights: ReturnType<typeof prepareWeights>,
  sequences: Tensor,
  promptLength: number,
  padId: number,
): { nll: Tensor; mask: Tensor } {
  const { ids, targets } = splitSequences(tf, sequences, promptLength);
  const { normalized } = decode(tf, config, weights, { ids, from: promptLength - 1 });
  const nll = tokenNll(tf, outputLogits(tf, weights, normalized), targets);
  return { nll, mask: tf.notEqual(targets, tf.scalar(padId, 'int32')).toFloat() };
}

/** What the model reads (all but the last token), and the answer tokens it has to predict, [answerLength * batch] token-major. */
export function splitSequences(tf: Tf, sequences: Tensor, promptLength: number): { ids: Tensor; targets: Tensor } {
  const [batch, length] = sequences.shape as [number, number];
  return {
    ids: tf.slice(sequences, [0, 0], [batch, length - 1]),
    targets: toTokenMajor(tf, tf.slice(sequences, [0, promptLength], [batch, length - promptLength])),
  };
}

const modeOf = (decoding: Decoding): SamplingMode => {
  if (decoding.mode === 'greedy') return 'greedy';
  return decoding.topP === undefined ? 'temperature' : 'topP';
};

function rowCount(values: Int32Array, width: number): number {
  if (values.length > 0 && values.length % width === 0) return values.length / width;
  throw new AppError('SHAPE_MISMATCH', `${values.length} tokens are no whole number of rows of ${width}.`);
}

/** Chunks of one size, as few as MAX_BATCH_ROWS allows; the last may reach past the end. */
function equalChunks(rows: number): { start: number; count: number }[] {
  const chunks = Math.ceil(rows / MAX_BATCH_ROWS);
  const count = Math.ceil(rows / chunks);
  return Array.from({ length: chunks }, (_, i) => ({ start: i * count, count }));
}

/** Rows start .. start + count - 1; rows past the end repeat the last one. */
function rowsOf(values: Int32Array, width: number, start: number, count: number): Int32Array {
  const rows = values.length / width;
  const out = new Int32Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = Math.min(start + i, rows - 1);
    out.set(values.subarray(row * width, (row + 1) * width), i * width);
  }
  return out;
}

/** Columns start .. start + count - 1 of [lines, width]; columns past the end repeat the last one. */
function columnsOf(values: Float32Array, lines: number, width: number, start: number, count: number): Float32Array {
  const out = new Float32Array(lines * count);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < count; i++) out[line * count + i] = values[line * width + Math.min(start + i, width - 1)]!;
  }
  return out;
}
