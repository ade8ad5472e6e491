/** Laws of an answer that is watched: it is the answer that a batch gives, and its probabilities are those of the model. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, openCompute } from '../../../../main/compute/compute.ts';
import type { PlayToken } from '../../../../main/contract/play.ts';
import { watchedAnswer } from '../../../../main/ml/play/watchedAnswer.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';

/** Rounding of float32 sums in another order, nats. */
const rounding = 2e-5;
const prompts = ['Hi', 'Which number is the largest of 3, 8 and 5?', 'Write a rhyme. '.repeat(9)];

export function watchedAnswerLaws(backend: Backend): void {
  let text: TextModel;
  beforeAll(async () => {
    text = await TextModel.open(await openCompute({ backend }), 'tests/fixtures/tiny-qwen2');
  });
  afterAll(() => text.model.dispose());

  const idsOf = (prompt: string): number[] => text.codec.promptIds([{ role: 'user', content: prompt }]);
  async function watched(
    prompt: readonly number[],
    { temperature = 0, seed = 0, newTokens = 40, signal = new AbortController().signal } = {},
    onToken: (token: PlayToken) => void = () => undefined,
  ) {
    const textOf = (id: number): string => String(id);
    const request = { prompt, newTokens, stopIds: text.codec.stopIds, pieceOf: textOf, textOf };
    return watchedAnswer(text.model, request, { temperature, seed }, { onToken, signal });
  }

  test('greedy: the tokens of the batch, with the probabilities of their losses', async () => {
    const all = prompts.map(idsOf);
    const together = await text.generate(all, 40, { mode: 'greedy' });
    for (const [i, prompt] of all.entries()) {
      const { ids, tokens } = await watched(prompt);
      expect(ids).toEqual(together[i]);
      const [losses] = await text.answerLosses([{ prompt, answer: ids }]);
      tokens.forEach(({ probability, alternatives }, token) => {
        expect(Math.abs(Math.log(probability) + losses![token]!)).toBeLessThan(rounding);
        expect(alternatives[0]).toEqual({ text: String(ids[token]), probability });
        const shown = alternatives.map((one) => one.probability);
        expect(shown).toEqual([...shown].sort((a, b) => b - a));
      });
    }
  });

  test('sampled: equal seeds draw equal answers, and the probabilities stay those at temperature 1', async () => {
    const prompt = idsOf(prompts[1]!);
    const first = await watched(prompt, { temperature: 1.5, seed: 7 });
    expect(await watched(prompt, { temperature: 1.5, seed: 7 })).toEqual(first);
    expect((await watched(prompt, { temperature: 1.5, seed: 8 })).ids).not.toEqual(first.ids);
    const [losses] = await text.answerLosses([{ prompt, answer: first.ids }]);
    first.tokens.forEach(({ probability }, token) => expect(Math.abs(Math.log(probability) + losses![token]!)).toBeLessThan(rounding)); // prettier-ignore
  });

  test('a cancelled one stops at its next token and leaves nothing behind', async () => {
    const prompt = idsOf(prompts[0]!);
    await watched(prompt);
    const { numTensors } = text.model.tf.memory();
    const controller = new AbortController();
    let told = 0;
    const watching = watched(prompt, { signal: controller.signal, temperature: 2 }, () => {
      told += 1;
      if (told === 3) controller.abort(new Error('enough'));
    });
    await expect(watching).rejects.toThrow('enough');
    expect(told).toBe(3);
    expect(text.model.tf.memory().numTensors).toBe(numTensors);
    expect((await watched(prompt)).ids).toEqual((await text.generate([prompt], 40, { mode: 'greedy' }))[0]);
  });
}
