/**
 * A language model that is spoken to in text: a checkpoint with its tokenizer and chat template. Prompts of any lengths go
 * through it in length buckets, as many rows at once as memory allows; what comes out is in the order of what went in.
 * A row's numbers do not depend on the rows beside it (but for rounding): every row draws from a stream of its own.
 */
import type { Compute } from '../../compute/compute.ts';
import type { CompiledStep, HostTensor } from '../../compute/session.ts';
import { prepareWeights } from '../model/decoder.ts';
import type { Decoding, LanguageModel } from '../model/languageModel.ts';
import { loadModel } from '../model/modelFolder.ts';
import { Philox } from '../random/philox.ts';
import { leftPadded } from '../tokenizer/textTokenizer.ts';
import {
  type AnswerShape,
  type TokenExample,
  answerLosses,
  answerSpecs,
  answerValues,
  copyAnswers,
} from './answerBatch.ts';
import { generationRowBytes, lossRowBytes, rowsWithin } from './batchMemory.ts';
import { ChatCodec } from './chatCodec.ts';
import { batchSize, lengthBuckets } from './lengthBuckets.ts';

/** Greedy, or sampled: `stream(row)` gives each prompt's own random numbers. */
export type TextDecoding =
  { mode: 'greedy' } | { mode: 'sample'; temperature: number; topP: number; stream: (row: number) => Philox };

export interface BatchOptions {
  signal?: AbortSignal | undefined;
  /** After every batch: rows done so far. */
  onRows?: ((done: number) => void) | undefined;
}

/** Memory of one batch beside the model, bytes. */
const defaultBatchBytes = 1e9;

export class TextModel {
  readonly model: LanguageModel;
  readonly codec: ChatCodec;
  readonly #batchBytes: number;

  /** @param model the caller's, who disposes it. @param options.batchBytes memory of one batch beside the model */
  constructor(model: LanguageModel, codec: ChatCodec, options: { batchBytes?: number } = {}) {
    this.model = model;
    this.codec = codec;
    this.#batchBytes = options.batchBytes ?? defaultBatchBytes;
  }

  /** @param folder of a Hugging Face checkpoint; the caller disposes `model` */
  static async open(compute: Compute, folder: string, signal?: AbortSignal): Promise<TextModel> {
    const codec = await ChatCodec.open(folder);
    return new TextModel(await loadModel(compute, folder, signal), codec);
  }

  /**
   * @param prompts tokens, e.g. of `codec.promptIds`
   * @returns for each prompt the tokens of its answer, with the stop token that ended it
   * @throws what `signal` was aborted with, between two batches
   */
  async generate(
    prompts: readonly (readonly number[])[],
    maxNewTokens: number,
    decoding: TextDecoding,
    { signal, onRows }: BatchOptions = {},
  ): Promise<number[][]> {
    const { config } = this.model;
    const answers: number[][] = prompts.map(() => []);
    const lengths = prompts.map(({ length }) => ({ prompt: length, answer: maxNewTokens }));
    const buckets = lengthBuckets(lengths, (shape) => rowsWithin(this.#batchBytes, generationRowBytes(config, shape)));
    let done = 0;
    for (const { rows, prompt: promptLength } of buckets) {
      signal?.throwIfAborted();
      // Rows beyond the prompts repeat the last one, with its random numbers.
      const batch = Array.from({ length: batchSize(rows.length) }, (_, i) => rows[Math.min(i, rows.length - 1)]!);
      const padded = leftPadded(batch.map((row) => prompts[row]!), this.codec.padId, promptLength); // prettier-ignore
      const tokens = await this.model.generate({
        prompts: padded.ids,
        promptLength,
        attentionMask: padded.attentionMask,
        newTokens: maxNewTokens,
        decoding: rowDecoding(decoding, batch),
        stopIds: [...this.codec.stopIds],
        padId: this.codec.padId,
      });
      rows.forEach((row, i) => {
        answers[row] = this.#whole(tokens.subarray(i * maxNewTokens, (i + 1) * maxNewTokens));
      });
      done += rows.length;
      onRows?.(done);
    }
    return answers;
  }

  /** Up to and including the first stop token. */
  #whole(tokens: Int32Array): number[] {
    const end = tokens.findIndex((id) => this.codec.stopIds.includes(id));
    return Array.from(end < 0 ? tokens : tokens.subarray(0, end + 1));
  }

  /**
   * Teacher-forced cross-entropy of every answer token, nats.
   * @returns for each example [answer.length]
   */
  async answerLosses(examples: readonly TokenExample[], options: BatchOptions = {}): Promise<Float32Array[]> {
    const losses: Float32Array[] = examples.map(({ answer }) => new Float32Array(answer.length));
    const stepOf = (shape: AnswerShape): CompiledStep => this.#lossStep(shape);
    await this.readAnswers(examples, stepOf, ({ losses: all }, shape, rows) => copyAnswers(all!, shape, rows, losses), options); // prettier-ignore
    return losses;
  }

  /**
   * Runs a step without gradients on prompts with their answers.
   * @param stepOf the step for a shape, with the inputs of `answerSpecs`
   * @param take what it gave, and the indices of the examples in its rows
   * @throws what `signal` was aborted with, between two batches
   */
  async readAnswers(
    examples: readonly TokenExample[],
    stepOf: (shape: AnswerShape) => CompiledStep,
    take: (outputs: Record<string, HostTensor>, shape: AnswerShape, rows: readonly number[]) => void,
    { signal, onRows }: BatchOptions = {},
  ): Promise<void> {
    const { config } = this.model;
    const lengths = examples.map(({ prompt, answer }) => ({ prompt: prompt.length, answer: answer.length }));
    const buckets = lengthBuckets(lengths, (shape) => rowsWithin(this.#batchBytes, lossRowBytes(config, shape)));
    let done = 0;
    for (const { rows, prompt, answer } of buckets) {
      signal?.throwIfAborted();
      const shape: AnswerShape = { rows: batchSize(rows.length), prompt, answer };
      const values = answerValues(rows.map((row) => examples[row]!), shape, this.codec.padId); // prettier-ignore
      take(await stepOf(shape).run(values), shape, rows);
      done += rows.length;
      onRows?.(done);
    }
  }

  #lossStep(shape: AnswerShape): CompiledStep {
    const { tf, config } = this.model;
    return this.model.step(`answerLosses ${shape.prompt}`, answerSpecs(shape), (inputs) => {
      const weights = prepareWeights(tf, config, this.model.variable);
      return { losses: answerLosses(tf, config, weights, inputs, shape.prompt) };
    });
  }
}

function rowDecoding(decoding: TextDecoding, rows: readonly number[]): Decoding {
  if (decoding.mode === 'greedy') return decoding;
  const { temperature, topP, stream } = decoding;
  const random = new RowStreams(rows.map((row) => stream(row)));
  return { mode: 'sample', temperature, random, ...(topP < 1 && { topP }) };
}

/** Uniforms [tokens, rows] whose columns come from a stream each, however many rows there are. */
class RowStreams extends Philox {
  readonly #streams: readonly Philox[];

  constructor(streams: readonly Philox[]) {
    super('rows');
    this.#streams = streams;
  }

  override uniforms(length: number): Float32Array {
    const rows = this.#streams.length;
    const out = new Float32Array(length);
    this.#streams.forEach((stream, row) => {
      stream.uniforms(length / rows).forEach((value, token) => (out[token * rows + row] = value));
    });
    return out;
  }
}
