/** Laws of generation and of the two ways to run a step, on a small random model. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, type Compute, openCompute } from '../../../../main/compute/compute.ts';
import type { Tensor } from '../../../../main/compute/session.ts';
import { decode, logits, outputLogits, prepareWeights } from '../../../../main/ml/model/decoder.ts';
import { type Decoding, type GenerationRequest, LanguageModel } from '../../../../main/ml/model/languageModel.ts';
import { sampleTokens } from '../../../../main/ml/model/sampling.ts';
import { initWeights } from '../../../../main/ml/model/weights.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { trainPpo } from '../../../../main/ml/training/ppo.ts';
import { toyConfig, toyPpo, toyRl, toyWeights } from '../training/toyRun.ts';

/** Two PPO runs, each of which compiles its steps anew. */
const timeoutMs = 60_000;

const promptLength = 5;
const newTokens = 6;

function prompts(rows: number): Int32Array {
  const random = new Philox('prompts');
  return Int32Array.from({ length: rows * promptLength }, () => 1 + random.int(toyConfig.vocabSize - 1));
}

function request(rows: number, decoding: Decoding, stopIds: number[] = []): GenerationRequest {
  return { prompts: prompts(rows), promptLength, newTokens, decoding, stopIds, padId: 0 };
}

const sampled = (): Decoding => ({ mode: 'sample', temperature: 1, random: new Philox('sampled') });

/** Prompts and answers one after the other, [rows, promptLength + newTokens]. */
function joinedRows(given: Int32Array, tokens: Int32Array, rows: number): Int32Array {
  const length = promptLength + newTokens;
  const ids = new Int32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    ids.set(given.subarray(row * promptLength, (row + 1) * promptLength), row * length);
    ids.set(tokens.subarray(row * newTokens, (row + 1) * newTokens), row * length + promptLength);
  }
  return ids;
}

export function languageModelLaws(backend: Backend): void {
  let compute: Compute;
  let model: LanguageModel;
  beforeAll(async () => {
    compute = await openCompute({ backend });
    model = new LanguageModel(compute, toyConfig, toyWeights());
  });
  afterAll(() => model.dispose());

  /** The whole sequences through the model once more, without a cache: [rows, newTokens, vocab]. */
  async function uncachedLogits(tokens: Int32Array, rows: number): Promise<Float32Array> {
    const length = promptLength + newTokens;
    const ids = joinedRows(prompts(rows), tokens, rows);
    const step = model.step('uncached', { ids: { shape: [rows, length], dtype: 'int32' } }, (inputs) => {
      const all = logits(model.tf, toyConfig, model.variable, { ids: inputs['ids']!, from: promptLength - 1 });
      return { logits: model.tf.slice(all, [0, 0, 0], [rows, newTokens, toyConfig.vocabSize]) };
    });
    return (await step.run({ ids }))['logits']!.data as Float32Array;
  }

  test('greedy tokens are the argmax of the model without a cache', async () => {
    const rows = 3;
    const tokens = await model.generate(request(rows, { mode: 'greedy' }));
    const all = await uncachedLogits(tokens, rows);
    const argmax = Array.from({ length: rows * newTokens }, (_, i) => {
      const row = Array.from(all.subarray(i * toyConfig.vocabSize, (i + 1) * toyConfig.vocabSize));
      return row.indexOf(Math.max(...row));
    });
    expect(Array.from(tokens)).toEqual(argmax);
  });

  test('the same tokens op by op and compiled', async () => {
    const eager = new LanguageModel(compute, toyConfig, toyWeights(), { eager: true });
    for (const decoding of [
      (): Decoding => ({ mode: 'greedy' }),
      sampled,
      (): Decoding => ({ ...sampled(), topP: 0.7 }) as Decoding,
    ]) {
      const compiled = await model.generate(request(4, decoding(), [2]));
      expect(Array.from(await eager.generate(request(4, decoding(), [2])))).toEqual(Array.from(compiled));
    }
    eager.dispose();
  });

  test('after a stop token comes padding, and nothing changes before it', async () => {
    const free = await model.generate(request(8, sampled()));
    // Stops on the second token of the first answer
    const stopId = free[1]!;
    const stopped = await model.generate(request(8, sampled(), [stopId]));
    for (let row = 0; row < 8; row++) {
      const before = Array.from(free.subarray(row * newTokens, (row + 1) * newTokens));
      const end = before.indexOf(stopId);
      const expected = end < 0 ? before : before.map((token, i) => (i <= end ? token : 0));
      expect(Array.from(stopped.subarray(row * newTokens, (row + 1) * newTokens))).toEqual(expected);
    }
    expect(Array.from(stopped)).toContain(0);
  });

  test('over a cache of fixed size come the tokens of the unrolled rollout, while rows end and the cache grows', async () => {
    const rows = 9;
    const long = 44;
    // Its own: every step of a session makes the first run of the next one longer.
    const own = new LanguageModel(compute, toyConfig, toyWeights());
    const decodings: (() => Decoding)[] = [
      () => ({ mode: 'greedy' }),
      sampled,
      () => ({ mode: 'sample', temperature: 0.8, topP: 0.7, random: new Philox('sampled') }),
    ];
    for (const decoding of decodings) {
      const generate = (method: 'unrolled' | 'cached', stopIds: number[]): Promise<Int32Array> => {
        return own.generate({ ...request(rows, decoding(), stopIds), newTokens: long, method });
      };
      const free = await generate('unrolled', []);
      expect(Array.from(await generate('cached', []))).toEqual(Array.from(free));
      // Stops that rows meet at different times, so that the batch is made smaller more than once
      const stops = [free[2]!, free[3 * long + 20]!];
      expect(Array.from(await generate('cached', stops))).toEqual(Array.from(await generate('unrolled', stops)));
    }
    own.dispose();
  }, timeoutMs); // prettier-ignore

  test('an answer ends where its reader says so', async () => {
    const rows = 4;
    const free = await model.generate({ ...request(rows, { mode: 'greedy' }), newTokens: 40, method: 'cached' });
    const stopAt = (tokens: readonly number[]): number | null => (tokens.length >= 5 ? 5 : null);
    const ended = await model.generate({ ...request(rows, { mode: 'greedy' }), newTokens: 40, stopAt });
    for (let row = 0; row < rows; row++) {
      const kept = Array.from(free.subarray(row * 40, row * 40 + 5));
      expect(Array.from(ended.subarray(row * 40, (row + 1) * 40))).toEqual([...kept, ...new Array<number>(35).fill(0)]);
    }
  });

  test('gains folded into the matrices or multiplied: the same model', async () => {
    const ids = { ids: { shape: [3, promptLength], dtype: 'int32' } } as const;
    const outputs = await Promise.all(
      [true, false].map(async (foldGains) => {
        const step = model.step(`fold ${foldGains}`, ids as never, (inputs) => {
          const { tf } = model;
          const weights = prepareWeights(tf, toyConfig, model.variable, { foldGains });
          return {
            logits: outputLogits(tf, weights, decode(tf, toyConfig, weights, { ids: inputs['ids']! }).normalized),
          };
        });
        return (await step.run({ ids: prompts(3) }))['logits']!.data;
      }),
    );
    // A few roundings of float32 at logits of about 1
    outputs[0]!.forEach((value, i) => expect(Math.abs(value - outputs[1]![i]!)).toBeLessThan(1e-5));
  });

  test('a wide model, whose gains and projections stay apart: greedy tokens are the argmax without a cache', async () => {
    const config = { ...toyConfig, hiddenSize: 264, headDim: 66, numHiddenLayers: 1 };
    const wide = new LanguageModel(compute, config, initWeights(config, new Philox('wide')));
    const rows = 2;
    const length = promptLength + newTokens;
    const step = wide.step('uncached', { ids: { shape: [rows, length], dtype: 'int32' } }, (inputs) => {
      const all = logits(wide.tf, config, wide.variable, { ids: inputs['ids']!, from: promptLength - 1 });
      return { tokens: wide.tf.argMax(all, 2) };
    });
    for (const method of ['unrolled', 'cached'] as const) {
      const tokens = await wide.generate({ ...request(rows, { mode: 'greedy' }), method });
      const expected = (await step.run({ ids: joinedRows(prompts(rows), tokens, rows) }))['tokens']!.data;
      for (let row = 0; row < rows; row++) {
        const own = Array.from(tokens.subarray(row * newTokens, (row + 1) * newTokens));
        expect(own).toEqual(Array.from(expected.subarray(row * (newTokens + 1), row * (newTokens + 1) + newTokens)));
      }
    }
    wide.dispose();
  });

  test('left padding changes no token', async () => {
    const rows = 3;
    const plain = await model.generate(request(rows, { mode: 'greedy' }));
    const padded = new Int32Array(rows * (promptLength + 2));
    const mask = new Int32Array(padded.length);
    for (let row = 0; row < rows; row++) {
      padded.set(prompts(rows).subarray(row * promptLength, (row + 1) * promptLength), row * (promptLength + 2) + 2);
      mask.fill(1, row * (promptLength + 2) + 2, (row + 1) * (promptLength + 2));
    }
    const withPadding = { ...request(rows, { mode: 'greedy' }), prompts: padded, promptLength: promptLength + 2 };
    expect(Array.from(await model.generate({ ...withPadding, attentionMask: mask }))).toEqual(Array.from(plain));
  });

  test('rows beyond one batch come in the order of the prompts', async () => {
    const many = 700;
    const all = await model.generate(request(many, { mode: 'greedy' }));
    const last = prompts(many).subarray((many - 2) * promptLength);
    const alone = await model.generate({ ...request(2, { mode: 'greedy' }), prompts: last });
    expect(Array.from(all.subarray((many - 2) * newTokens))).toEqual(Array.from(alone));
  });

  test('token losses are the cross-entropy of the logits, 0 at padding', async () => {
    const rows = 2;
    const length = promptLength + newTokens;
    const tokens = await model.generate(request(rows, sampled()));
    tokens[rows * newTokens - 1] = 0;
    const all = await uncachedLogits(tokens, rows);
    const sequences = joinedRows(prompts(rows), tokens, rows);
    const losses = await model.tokenLosses(sequences, length, promptLength, 0);
    tokens.forEach((token, i) => {
      const row = Array.from(all.subarray(i * toyConfig.vocabSize, (i + 1) * toyConfig.vocabSize));
      const expected = token === 0 ? 0 : Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[token]!;
      expect(losses[i]).toBeCloseTo(expected, 5);
    });
  });

  test('sampling: shares follow the softmax; a nucleus keeps the top and no more', () => {
    const { tf } = compute;
    const draws = 20_000;
    const row = [1, 3, 0, 2, -40];
    const uniforms = new Philox('draws').uniforms(draws);
    const count = (mode: 'temperature' | 'topP', topP: number): number[] => {
      return tf.tidy(() => {
        const repeated: Tensor = tf.tile(tf.tensor2d([row]), [draws, 1]);
        const inputs = { uniforms: tf.tensor1d(uniforms), temperature: tf.scalar(1), topP: tf.scalar(topP) };
        const counts = [0, 0, 0, 0, 0];
        for (const token of sampleTokens(tf, repeated, mode, inputs).dataSync()) counts[token]!++;
        return counts.map((value) => value / draws);
      });
    };
    const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
    const probabilities = row.map((x) => Math.exp(x) / total);
    // Five standard errors at p = 1/2
    const bound = (5 * 0.5) / Math.sqrt(draws);
    count('temperature', 1).forEach((share, i) => expect(Math.abs(share - probabilities[i]!)).toBeLessThan(bound));
    expect(count('temperature', 1)[4]).toBe(0);
    // 0.644 + 0.237 = 0.881: at 0.7 the second stays (0.644 before it), the third does not
    const kept = probabilities[1]! + probabilities[3]!;
    const nucleus = [0, probabilities[1]! / kept, 0, probabilities[3]! / kept, 0];
    count('topP', 0.7).forEach((share, i) =>
      expect(Math.abs(share - nucleus[i]!)).toBeLessThan(nucleus[i] === 0 ? 1e-9 : bound),
    );
    expect(count('topP', 0.5)).toEqual([0, 1, 0, 0, 0]);
  });

  test(
    'a whole PPO run leaves no tensor behind',
    async () => {
      const short = { ...toyRl, iterations: 4 };
      const run = (): Promise<unknown> => trainPpo(toyPpo(compute, 'ppoAnchor', short));
      await run();
      const { numTensors } = compute.tf.memory();
      await run();
      expect(compute.tf.memory().numTensors).toBe(numTensors);
    },
    timeoutMs,
  );
}
