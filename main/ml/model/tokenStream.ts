/**
 * One answer, a token at a time, with the logits that each token is chosen from: for a person who watches it and may stop
 * it, where `generate` is for batches. The cache has a slot for the whole answer from the beginning, and every token is one
 * run of a step; what is chosen from the logits is the caller's affair, so that greedy and sampled answers share the steps.
 */
import { setImmediate } from 'node:timers/promises';
import type { CompiledStep, Tensor, TensorSpec, Variable } from '../../compute/session.ts';
import { type KeyValuePart, paddingMask, rotations } from './attention.ts';
import { cacheLengthFor, movedOn } from './cachedGeneration.ts';
import { type KeyValues, decode } from './decoder.ts';
import type { LanguageModel } from './languageModel.ts';
import { cachedAttention, decodeToken, prepareTokenWeights, tokenLogits } from './tokenDecoder.ts';

export interface StreamRequest {
  /** At least one token. */
  prompt: readonly number[];
  /** Tokens of the prompt with padding: prompts of about the same length share a step. */
  promptColumns: number;
  newTokens: number;
  /** Any of these ends the answer; it is given too. */
  stopIds: readonly number[];
  /** @param logits [vocab] */
  choose(logits: Float32Array): number;
  signal?: AbortSignal | undefined;
}

export interface StreamedToken {
  id: number;
  /** [vocab], given the prompt and all tokens before it. */
  logits: Float32Array;
}

/** @throws what `signal` was aborted with, before the next token */
export async function* streamTokens(model: LanguageModel, request: StreamRequest): AsyncGenerator<StreamedToken> {
  const { prompt, promptColumns, newTokens, stopIds, choose, signal } = request;
  const steps = new StreamSteps(model, cacheLengthFor(promptColumns + newTokens));
  try {
    let logits = await steps.read(prompt, promptColumns);
    for (let made = 1; ; made++) {
      // A turn of the event loop, in which a cancel arrives.
      await setImmediate();
      signal?.throwIfAborted();
      const id = choose(logits);
      yield { id, logits };
      if (made === newTokens || stopIds.includes(id)) return;
      logits = await steps.next(id, prompt.length + made - 1, promptColumns + made - 1);
    }
  } finally {
    await steps.release();
  }
}

class StreamSteps {
  readonly #model: LanguageModel;
  /** Slots of the cache. */
  readonly #length: number;
  readonly #names: [k: string, v: string][];

  constructor(model: LanguageModel, length: number) {
    const { numHiddenLayers, skippedLayers } = model.config;
    this.#model = model;
    this.#length = length;
    this.#names = Array.from({ length: numHiddenLayers - skippedLayers.length }, (_, layer) => {
      return [`stream ${length} ${layer} k`, `stream ${length} ${layer} v`];
    });
  }

  /** Fills the cache with the prompt. @returns logits of the token after it, [vocab] */
  async read(prompt: readonly number[], columns: number): Promise<Float32Array> {
    const ids = new Int32Array(columns);
    const attentionMask = new Int32Array(columns).fill(1, columns - prompt.length);
    ids.set(prompt, columns - prompt.length);
    return logitsOf(this.#readStep(columns), { ids, attentionMask });
  }

  #readStep(columns: number): CompiledStep {
    const { tf, config } = this.#model;
    const caches = this.#caches();
    const spec: TensorSpec = { shape: [1, columns], dtype: 'int32' };
    return this.#model.step(`read prompt ${this.#length}`, { ids: spec, attentionMask: spec }, (inputs) => {
      const weights = prepareTokenWeights(tf, config, this.#model.variable);
      const { ids, attentionMask } = inputs as { ids: Tensor; attentionMask: Tensor };
      const { normalized, keyValues } = decode(tf, config, weights, { ids, attentionMask, from: columns - 1 });
      const empty = tf.zeros([1, config.numKeyValueHeads, this.#length - columns, config.headDim]);
      caches.forEach(({ k, v }, layer) => {
        k.assign(tf.concat([empty, keyValues[layer]!.k], 2));
        v.assign(tf.concat([empty, keyValues[layer]!.v], 2));
      });
      return { logits: tokenLogits(tf, weights, normalized) };
    });
  }

  /**
   * @param id the token that was chosen last
   * @param keys tokens before it
   * @param position its column
   * @returns logits of the token after it, [vocab]
   */
  async next(id: number, keys: number, position: number): Promise<Float32Array> {
    const rotary = rotations(this.#model.config, position, 1);
    return logitsOf(this.#nextStep(), { last: Int32Array.of(id), keys: Int32Array.of(keys), rotary });
  }

  #nextStep(): CompiledStep {
    const { tf, config } = this.#model;
    const length = this.#length;
    const caches = this.#caches();
    const specs: Record<string, TensorSpec> = {
      last: { shape: [1], dtype: 'int32' },
      keys: { shape: [1], dtype: 'int32' },
      rotary: { shape: [1, config.headDim, config.headDim], dtype: 'float32' },
    };
    return this.#model.step(`next token ${length}`, specs, (inputs) => {
      const weights = prepareTokenWeights(tf, config, this.#model.variable);
      const { last, keys, rotary } = inputs as { last: Tensor; keys: Tensor; rotary: Tensor };
      const slots = Int32Array.from({ length }, (_, slot) => length - slot);
      const isKey = tf.lessEqual(tf.tensor(slots, [1, length], 'int32'), keys.reshape([1, 1]));
      const mask = paddingMask(tf, isKey.toFloat());
      const cached = caches.map(({ k, v }): KeyValuePart => ({ k, v, mask }));
      const fresh: KeyValues[] = [];
      const normalized = decodeToken(tf, config, weights, last, rotary, cachedAttention(tf, cached, fresh));
      const logits = tokenLogits(tf, weights, normalized);
      caches.forEach(({ k, v }, layer) => {
        k.assign(movedOn(tf, k, fresh[layer]!.k));
        v.assign(movedOn(tf, v, fresh[layer]!.v));
      });
      return { logits };
    });
  }

  release(): Promise<void> {
    return this.#model.session.release(this.#names.flat());
  }

  #caches(): { k: Variable; v: Variable }[] {
    const { config, session } = this.#model;
    const shape = [1, config.numKeyValueHeads, this.#length, config.headDim];
    return this.#names.map(([k, v]) => ({ k: session.scratch(k, shape), v: session.scratch(v, shape) }));
  }
}

async function logitsOf(step: CompiledStep, inputs: Parameters<CompiledStep['run']>[0]): Promise<Float32Array> {
  return (await step.run(inputs))['logits']!.data as Float32Array;
}
