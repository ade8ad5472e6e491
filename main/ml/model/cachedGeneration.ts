/**
 * Long generation with a key-value cache of fixed size, in steps that are compiled once for each (batch, cache length):
 * - `prefill` reads the prompts and fills the cache;
 * - `decode` unrolls a few tokens, which look at the cache and at each other, and then moves the cache on by as many slots;
 * - `move` takes the rows that are not done to a smaller batch, or to a longer cache.
 * Between the steps the program looks at what came out: finished rows are dropped, and generation ends with the last one.
 * A row's keys are the newest slots of the cache; the rotation of a key is that of its column and stays with it wherever
 * its slot moves.
 */
import type { CompiledStep, HostArray, Session, Tensor, TensorSpec, Tf } from '../../compute/session.ts';
import { type KeyValuePart, paddingMask, rotations } from './attention.ts';
import { type KeyValues, decode } from './decoder.ts';
import type { ModelConfig } from './modelConfig.ts';
import { type SamplingInputs, type SamplingMode, sampleTokens } from './sampling.ts';
import { type TokenWeights, cachedAttention, decodeToken, tokenLogits } from './tokenDecoder.ts';

/** What generation needs of a model. */
export interface GeneratingModel {
  tf: Tf;
  config: ModelConfig;
  session: Session;
  step(name: string, inputs: Record<string, TensorSpec>, step: (inputs: Record<string, Tensor>) => Record<string, Tensor>): CompiledStep; // prettier-ignore
  weights(): TokenWeights;
}

export interface CachedRequest {
  /** Row-major [rows, promptLength], left-padded where the mask is 0. */
  prompts: Int32Array;
  promptLength: number;
  attentionMask: Int32Array | undefined;
  newTokens: number;
  mode: SamplingMode;
  temperature: number;
  topP: number;
  /** [newTokens, rows]; null for greedy */
  uniforms: Float32Array | null;
  stopIds: readonly number[];
  padId: number;
  /** How many of a row's tokens to keep once it is done by another sign than a stop id; null: it goes on. */
  stopAt: ((tokens: readonly number[]) => number | null) | undefined;
}

/** Prompts are padded to a multiple of this, so that prompts of about the same length share a step. */
const promptStep = 16;
const smallestCache = 32;
/** Unrolled tokens of a decode step: few where a token is much work, so that little is done for finished rows. */
const decodeTokensOf = ({ numHiddenLayers }: ModelConfig): number => (numHiddenLayers <= 8 ? 16 : 4);

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));

/** Slots of a cache for this many keys: powers of two and the sizes halfway between, so that at most a third is empty. */
export function cacheLengthFor(keys: number): number {
  const length = Math.max(smallestCache, powerOfTwo(keys));
  const between = 0.75 * length;
  return between >= Math.max(smallestCache, keys) ? between : length;
}

/** @returns row-major [rows, newTokens]: the answers, `padId` after they have ended */
export async function generateCached(model: GeneratingModel, request: CachedRequest): Promise<Int32Array> {
  const { newTokens, padId } = request;
  const chunk = decodeTokensOf(model.config);
  const steps = new CachedSteps(model, request.mode, chunk);
  const answers = new Answers(request);
  const prompt = paddedPrompts(request);
  const rows = prompt.keys.length;
  let place: CachePlace = { batch: rows, length: cacheLengthFor(prompt.width + chunk) };
  /** Row of each place in the batch; rows that are done stay until the batch is made smaller. */
  let members = Array.from({ length: rows }, (_, row) => row);
  const drawn = (first: number, count: number): Record<string, HostArray> =>
    drawnInputs(request, members, first, count);

  let last = await steps.prefill(place, prompt, drawn(0, 1));
  answers.add(members, last, 1);
  for (
    let sampled = 1, cached = prompt.width;
    sampled < newTokens && !answers.done;
    sampled += chunk, cached += chunk
  ) {
    const alive = members.filter((row) => answers.isOpen(row));
    const batch = alive.length <= place.batch / 2 ? powerOfTwo(alive.length) : place.batch;
    const next: CachePlace = { batch, length: Math.max(place.length, cacheLengthFor(cached + chunk)) };
    if (next.batch !== place.batch || next.length !== place.length) {
      const kept = batch === place.batch ? members : filledUp(alive, batch);
      const from = kept.map((row) => members.indexOf(row));
      await steps.move(place, next, from);
      last = Int32Array.from(from, (position) => last[position]!);
      [place, members] = [next, kept];
    }
    const keys = Int32Array.from(members, (row) => prompt.keys[row]! + cached - prompt.width);
    const tokens = await steps.decode(place, { last, keys, position: cached }, drawn(sampled, chunk));
    answers.add(members, tokens, chunk);
    last = Int32Array.from(members, (_, position) => tokens[position * chunk + chunk - 1]!);
  }
  await steps.release(place);
  return answers.padded(padId);
}

/** The rows, and the last of them again until there are `count`. */
const filledUp = (rows: readonly number[], count: number): number[] => {
  return Array.from({ length: count }, (_, i) => rows[Math.min(i, rows.length - 1)]!);
};

/** The tokens so far of every row, and which rows go on. */
class Answers {
  readonly #request: CachedRequest;
  readonly #tokens: number[][];
  readonly #open: Set<number>;

  constructor(request: CachedRequest) {
    const rows = request.prompts.length / request.promptLength;
    this.#request = request;
    this.#tokens = Array.from({ length: rows }, () => []);
    this.#open = new Set(this.#tokens.keys());
  }

  get done(): boolean {
    return this.#open.size === 0;
  }

  isOpen(row: number): boolean {
    return this.#open.has(row);
  }

  /** @param tokens [members, count] */
  add(members: readonly number[], tokens: Int32Array, count: number): void {
    const { stopIds, newTokens, stopAt } = this.#request;
    const seen = new Set<number>();
    members.forEach((row, position) => {
      if (!this.#open.has(row) || seen.has(row)) return;
      seen.add(row);
      const answer = this.#tokens[row]!;
      for (let i = 0; i < count && this.#open.has(row); i++) {
        const token = tokens[position * count + i]!;
        answer.push(token);
        if (answer.length === newTokens || stopIds.includes(token)) this.#open.delete(row);
      }
      const kept = stopAt?.(answer) ?? null;
      if (kept === null) return;
      answer.length = Math.min(kept, answer.length);
      this.#open.delete(row);
    });
  }

  padded(padId: number): Int32Array {
    const { newTokens } = this.#request;
    const out = new Int32Array(this.#tokens.length * newTokens).fill(padId);
    this.#tokens.forEach((answer, row) => out.set(answer, row * newTokens));
    return out;
  }
}

interface PaddedPrompts {
  /** Tokens of a row, padding included. */
  width: number;
  /** [rows, width] */
  ids: Int32Array;
  attentionMask: Int32Array;
  /** Tokens of each row that are no padding. */
  keys: number[];
}

function paddedPrompts({ prompts, promptLength, attentionMask, padId }: CachedRequest): PaddedPrompts {
  const rows = prompts.length / promptLength;
  const width = Math.ceil(promptLength / promptStep) * promptStep;
  const ids = new Int32Array(rows * width).fill(padId);
  const mask = new Int32Array(rows * width);
  const keys: number[] = [];
  for (let row = 0; row < rows; row++) {
    const start = (row + 1) * width - promptLength;
    const own = attentionMask?.subarray(row * promptLength, (row + 1) * promptLength);
    ids.set(prompts.subarray(row * promptLength, (row + 1) * promptLength), start);
    if (own === undefined) mask.fill(1, start, start + promptLength);
    else mask.set(own, start);
    keys.push(own === undefined ? promptLength : own.reduce((sum, one) => sum + one, 0));
  }
  return { width, ids, attentionMask: mask, keys };
}

/** Random numbers of `count` tokens from `first` on, for the rows in the batch; tokens past the end get any. */
function drawnInputs(
  { uniforms, newTokens, prompts, promptLength, mode, temperature, topP }: CachedRequest,
  members: readonly number[],
  first: number,
  count: number,
): Record<string, HostArray> {
  if (mode === 'greedy' || uniforms === null) return {};
  const rows = prompts.length / promptLength;
  const values = new Float32Array(count * members.length);
  for (let i = 0; i < count; i++) {
    const line = Math.min(first + i, newTokens - 1) * rows;
    members.forEach((row, position) => (values[i * members.length + position] = uniforms[line + row]!));
  }
  const inputs: Record<string, HostArray> = { uniforms: values, temperature: Float32Array.of(temperature) };
  return mode === 'topP' ? { ...inputs, topP: Float32Array.of(topP) } : inputs;
}

interface CachePlace {
  batch: number;
  /** Slots of the cache. */
  length: number;
}

/** The compiled steps of one way of sampling. */
class CachedSteps {
  readonly #model: GeneratingModel;
  readonly #mode: SamplingMode;
  readonly #chunk: number;
  readonly #layers: number;

  constructor(model: GeneratingModel, mode: SamplingMode, chunk: number) {
    this.#model = model;
    this.#mode = mode;
    this.#chunk = chunk;
    this.#layers = model.config.numHiddenLayers - model.config.skippedLayers.length;
  }

  /** @returns the first token of each row */
  async prefill(place: CachePlace, prompt: PaddedPrompts, drawn: Record<string, HostArray>): Promise<Int32Array> {
    const { tf, config } = this.#model;
    const { width } = prompt;
    const caches = this.#caches(place);
    const spec: TensorSpec = { shape: [place.batch, width], dtype: 'int32' };
    const specs = { prompts: spec, attentionMask: spec, ...this.#samplingSpecs(place.batch, 1) };
    const step = this.#model.step(`prefill ${place.length} ${this.#mode}`, specs, (inputs) => {
      const weights = this.#model.weights();
      const { prompts: ids, attentionMask } = inputs as { prompts: Tensor; attentionMask: Tensor };
      const { normalized, keyValues } = decode(tf, config, weights, { ids, attentionMask, from: width - 1 });
      const tokens = this.#sample(tokenLogits(tf, weights, normalized), inputs, 0);
      const empty = tf.zeros([place.batch, config.numKeyValueHeads, place.length - width, config.headDim]);
      caches.forEach(({ k, v }, layer) => {
        k.assign(tf.concat([empty, keyValues[layer]!.k], 2));
        v.assign(tf.concat([empty, keyValues[layer]!.v], 2));
      });
      return { tokens };
    });
    const { tokens } = await step.run({ prompts: prompt.ids, attentionMask: prompt.attentionMask, ...drawn });
    return tokens!.data as Int32Array;
  }

  /**
   * @param state.last the token of each row that is not in the cache yet
   * @param state.keys how many of the newest slots hold keys of each row
   * @param state.position column of `last`
   * @returns the next tokens, [batch, chunk]
   */
  async decode(
    place: CachePlace,
    state: { last: Int32Array; keys: Int32Array; position: number },
    drawn: Record<string, HostArray>,
  ): Promise<Int32Array> {
    const { tf, config } = this.#model;
    const { batch, length } = place;
    const chunk = this.#chunk;
    const caches = this.#caches(place);
    const specs: Record<string, TensorSpec> = {
      last: { shape: [batch], dtype: 'int32' },
      keys: { shape: [batch], dtype: 'int32' },
      rotary: { shape: [chunk, config.headDim, config.headDim], dtype: 'float32' },
      ...this.#samplingSpecs(batch, chunk),
    };
    const step = this.#model.step(`decode ${length} ${this.#mode}`, specs, (inputs) => {
      const weights = this.#model.weights();
      const { last, keys, rotary } = inputs as { last: Tensor; keys: Tensor; rotary: Tensor };
      const slots = tf.tensor(
        Int32Array.from({ length }, (_, slot) => length - slot),
        [1, length],
        'int32',
      );
      const mask = paddingMask(tf, tf.lessEqual(slots, keys.reshape([batch, 1])).toFloat());
      const cached = caches.map(({ k, v }): KeyValuePart => ({ k, v, mask }));
      const generated: KeyValues[] = [];
      const attention = cachedAttention(tf, cached, generated);
      const tokens: Tensor[] = [];
      let token = last;
      for (let i = 0; i < chunk; i++) {
        const rotation = tf.slice(rotary, [i, 0, 0], [1, config.headDim, config.headDim]);
        const normalized = decodeToken(tf, config, weights, token, rotation, attention);
        token = this.#sample(tokenLogits(tf, weights, normalized), inputs, i);
        tokens.push(token);
      }
      caches.forEach(({ k, v }, layer) => {
        k.assign(movedOn(tf, k, generated[layer]!.k));
        v.assign(movedOn(tf, v, generated[layer]!.v));
      });
      return { tokens: tf.stack(tokens, 1) };
    });
    const rotary = rotations(config, state.position, chunk);
    const { tokens } = await step.run({ last: state.last, keys: state.keys, rotary, ...drawn });
    return tokens!.data as Int32Array;
  }

  /** @param rows which place in the old batch each place in the new one is taken from */
  async move(from: CachePlace, to: CachePlace, rows: readonly number[]): Promise<void> {
    const { tf, config } = this.#model;
    const [before, after] = [this.#caches(from), this.#caches(to)];
    const specs: Record<string, TensorSpec> = { rows: { shape: [to.batch], dtype: 'int32' } };
    const step = this.#model.step(`move ${JSON.stringify([from, to])}`, specs, ({ rows }) => {
      const empty = tf.zeros([to.batch, config.numKeyValueHeads, to.length - from.length, config.headDim]);
      const moved = (cache: Tensor): Tensor => {
        const kept = from.batch === to.batch ? cache : tf.gather(cache, rows as never);
        return from.length === to.length ? kept : tf.concat([empty, kept], 2);
      };
      after.forEach(({ k, v }, layer) => {
        k.assign(moved(before[layer]!.k));
        v.assign(moved(before[layer]!.v));
      });
      return {};
    });
    await step.run({ rows: Int32Array.from(rows) });
    await this.release(from);
  }

  async release(place: CachePlace): Promise<void> {
    await this.#model.session.release(this.#names(place).flat());
  }

  #sample(logits: Tensor, inputs: Record<string, Tensor>, token: number): Tensor {
    const { tf } = this.#model;
    if (this.#mode === 'greedy') return sampleTokens(tf, logits, 'greedy', null);
    const batch = logits.shape[0];
    const drawn: SamplingInputs = {
      uniforms: tf.slice(inputs['uniforms']!, [token, 0], [1, batch]).reshape([batch]),
      temperature: inputs['temperature']!,
      topP: inputs['topP'] ?? tf.scalar(1),
    };
    return sampleTokens(tf, logits, this.#mode, drawn);
  }

  #samplingSpecs(batch: number, tokens: number): Record<string, TensorSpec> {
    if (this.#mode === 'greedy') return {};
    const scalar: TensorSpec = { shape: [], dtype: 'float32' };
    const uniforms: TensorSpec = { shape: [tokens, batch], dtype: 'float32' };
    return { uniforms, temperature: scalar, ...(this.#mode === 'topP' && { topP: scalar }) };
  }

  #names({ batch, length }: CachePlace): [string, string][] {
    return Array.from({ length: this.#layers }, (_, layer) => {
      const name = `cache ${batch}x${length} ${layer}`;
      return [`${name} k`, `${name} v`];
    });
  }

  /** The variables of a place, each [batch, kvHeads, length, headDim]; made when they are first asked for. */
  #caches(place: CachePlace): { k: ReturnType<Session['scratch']>; v: ReturnType<Session['scratch']> }[] {
    const { config, session } = this.#model;
    const shape = [place.batch, config.numKeyValueHeads, place.length, config.headDim];
    return this.#names(place).map(([k, v]) => ({ k: session.scratch(k, shape), v: session.scratch(v, shape) }));
  }
}

/** A cache without its oldest slots and with new ones. */
export function movedOn(tf: Tf, cache: Tensor, fresh: Tensor): Tensor {
  const [batch, heads, length, width] = cache.shape as [number, number, number, number];
  const count = fresh.shape[2]!;
  return tf.concat([tf.slice(cache, [0, 0, count, 0], [batch, heads, length - count, width]), fresh], 2);
}
