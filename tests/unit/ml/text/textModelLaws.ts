/** Laws of a model that is spoken to in text: padding, buckets and the other rows of a batch change nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, openCompute } from '../../../../main/compute/compute.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import type { TokenExample } from '../../../../main/ml/text/answerBatch.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';
import { sftExamples } from '../../../../main/ml/tasks/sftData.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';

/** Rounding of float32 sums in another order, nats. */
const rounding = 2e-5;

export function textModelLaws(backend: Backend): void {
  let text: TextModel;
  let examples: TokenExample[];

  beforeAll(async () => {
    text = await TextModel.open(await openCompute({ backend }), 'tests/fixtures/tiny-qwen2');
    const { codec } = text;
    examples = sftExamples(openTextTask({ name: 'rank' }), 'inDist', 5, 3).map(({ prompt, answer }, i) => ({
      prompt: codec.promptIds(prompt).slice(-(20 + 9 * i)),
      answer: codec.answerIds(answer.text).slice(0, 12 + 5 * i),
    }));
  });
  afterAll(() => text.model.dispose());

  /** Rows one by one, without any padding, through the model's own step. */
  async function alone({ prompt, answer }: TokenExample): Promise<Float32Array> {
    const unusedPad = 306 === answer.at(-1) ? 0 : 306;
    return text.model.tokenLosses(
      Int32Array.from([...prompt, ...answer]),
      prompt.length + answer.length,
      prompt.length,
      unusedPad,
    );
  }

  test('losses of a padded batch are those of each row alone', async () => {
    const together = await text.answerLosses(examples);
    for (const [i, example] of examples.entries()) {
      const single = await alone(example);
      example.answer.forEach((_, token) => expect(Math.abs(together[i]![token]! - single[token]!)).toBeLessThan(rounding)); // prettier-ignore
    }
  });

  test('greedy answers do not depend on padding or on the other rows', async () => {
    const prompts = examples.map(({ prompt }) => prompt);
    const together = await text.generate(prompts, 12, { mode: 'greedy' });
    for (const [i, prompt] of prompts.entries()) {
      const tokens = await text.model.generate({
        prompts: Int32Array.from(prompt),
        promptLength: prompt.length,
        newTokens: 12,
        decoding: { mode: 'greedy' },
        stopIds: [...text.codec.stopIds],
        padId: text.codec.padId,
      });
      expect(together[i]).toEqual(Array.from(tokens).slice(0, together[i]!.length));
    }
  });

  test('sampled answers depend on their own stream and not on the batch', async () => {
    const prompts = examples.map(({ prompt }) => prompt);
    const sampled = (rows: number[], key = 1): Promise<number[][]> =>
      text.generate(
        rows.map((row) => prompts[row]!),
        12,
        { mode: 'sample', temperature: 1, topP: 0.9, stream: (i) => new Philox(key, 'law', rows[i]!) },
      );
    const all = await sampled([0, 1, 2, 3, 4]);
    expect(await sampled([3, 1])).toEqual([all[3], all[1]]);
    expect(await sampled([4])).toEqual([all[4]]);
    expect(await sampled([0, 1, 2, 3, 4], 2)).not.toEqual(all);
  });

  test('last states of a padded batch are those of each row alone', async () => {
    const { hiddenSize } = text.model.config;
    const together = await text.lastStates(examples.map(({ prompt }) => prompt));
    expect(together).toMatchObject({ rows: examples.length, columns: hiddenSize });
    for (const [i, { prompt }] of examples.entries()) {
      const single = await text.model.hiddenLastToken(Int32Array.from(prompt), prompt.length);
      const last = single.data.subarray(-hiddenSize);
      last.forEach((x, j) => expect(Math.abs(together.data[i * hiddenSize + j]! - x)).toBeLessThan(rounding));
    }
  });

  test('little memory for a batch gives the same answers in smaller batches', async () => {
    const small = new TextModel(text.model, text.codec, { batchBytes: 1 });
    const done: number[] = [];
    const losses = await small.answerLosses(examples, { onRows: (rows) => done.push(rows) });
    const together = await text.answerLosses(examples);
    expect(done).toEqual([1, 2, 3, 4, 5]);
    losses.forEach((row, i) =>
      row.forEach((loss, token) => expect(Math.abs(loss - together[i]![token]!)).toBeLessThan(rounding)),
    );
  });
}
