/** Rollouts in text: what is learned from is what the dialogues were, and the credit of each answer. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCompute } from '../../../../main/compute/compute.ts';
import { textRlSettingsSchema } from '../../../../main/contract/settings.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';
import { answerWeights } from '../../../../main/ml/training/answerWeights.ts';
import { dialogueCredit, penalisedRewards } from '../../../../main/ml/training/textCredit.ts';
import {
  type RolloutRequest,
  type TextRollouts,
  textRolloutMetrics,
  textRollouts,
} from '../../../../main/ml/training/textRollouts.ts';
import { toyTextTask } from './toyTextTask.ts';

const settings = textRlSettingsSchema.parse({
  ...{ rolloutSize: 20, dialogueAttempts: 3, groupSize: 4, rolloutTemperature: 1, maxNewTokens: 5 },
});
let text: TextModel;
beforeAll(async () => {
  text = await TextModel.open(await openCompute(), 'tests/fixtures/tiny-qwen2');
});
afterAll(() => text.model.dispose());

const request = (more: Partial<RolloutRequest> = {}): RolloutRequest => ({
  ...{ text, task: toyTextTask(), settings, seed: 2, iteration: 5 },
  ...more,
});
const tokensOf = ({ answers }: TextRollouts) => answers.map(({ prompt, answer }) => [prompt, answer]);

test('as many answers as asked for; each dialogue, held again, asks and judges the same; the rest was cut off', async () => {
  const task = toyTextTask();
  const rollouts = await textRollouts(request());
  const { answers, dialogues } = rollouts;
  expect(answers).toHaveLength(20);
  expect(dialogues.flatMap((one) => one.answers).sort((a, b) => a - b)).toEqual(answers.map((_, i) => i));
  const random = new Philox(2, 'rl episodes', 5);
  for (const { answers: own, next, success } of dialogues) {
    const dialogue = task.open(task.trainingEpisode('inDist', random), { attempts: 3 });
    for (const index of own) {
      const { prompt, answer, reward, verdict } = answers[index]!;
      expect(prompt).toEqual(text.codec.promptIds(dialogue.messages));
      const turn = dialogue.step(text.codec.textOf(answer));
      expect([turn.reward, turn.verdict]).toEqual([reward, verdict]);
    }
    expect(dialogue.success).toBe(success);
    expect(next).toEqual(dialogue.done ? null : text.codec.promptIds(dialogue.messages));
  }
  const lengths = dialogues.map((one) => one.answers.length);
  expect(Math.max(...lengths)).toBe(3);
  expect(dialogues.some(({ success }) => success)).toBe(true);
  expect(dialogues.some(({ next }) => next !== null)).toBe(true);

  const metrics = textRolloutMetrics(rollouts);
  const share = (test: (one: (typeof answers)[number]) => boolean): number => answers.filter(test).length / 20;
  expect(metrics['successRate']).toBeCloseTo(share(({ verdict }) => verdict.correct), 12); // prettier-ignore
  expect(metrics['endedRate']).toBeCloseTo(share(({ answer }) => text.codec.stopIds.includes(answer.at(-1)!)), 12); // prettier-ignore
  const finished = dialogues.filter(({ next }) => next === null);
  expect(metrics['dialogueSuccessRate']).toBe(finished.filter(({ success }) => success).length / finished.length);
});

test('the iteration and the seed name the answers; groups of GRPO answer one prompt differently', async () => {
  const first = await textRollouts(request());
  expect(tokensOf(await textRollouts(request()))).toEqual(tokensOf(first));
  // One episode over and over: what differs is the random numbers of the answers.
  const episode = toyTextTask().trainingEpisode('inDist', new Philox(1));
  const task = { ...toyTextTask(), trainingEpisode: () => episode };
  const answersOf = async (more: Partial<RolloutRequest>): Promise<string[]> =>
    (await textRollouts(request({ task, settings: { ...settings, dialogueAttempts: 1 }, ...more }))).answers.map(
      ({ answer }) => answer.join(),
    );
  const own = await answersOf({});
  expect(new Set(own).size).toBeGreaterThan(15);
  expect(await answersOf({ iteration: 6 })).not.toEqual(own);
  expect(await answersOf({ seed: 3 })).not.toEqual(own);
  const { answers } = await textRollouts(request({ settings: { ...settings, algorithm: 'grpo' } }));
  for (let start = 0; start < 20; start += 4) {
    const group = answers.slice(start, start + 4);
    expect(new Set(group.map(({ prompt }) => prompt.join())).size).toBe(1);
    expect(new Set(group.map(({ answer }) => answer.join())).size).toBeGreaterThan(1);
  }
});

test('GRPO asks at any point of a route', async () => {
  const task = openTextTask({ name: 'navigation' });
  const navigation = { ...settings, algorithm: 'grpo' as const, rolloutSize: 8, groupSize: 2, maxNewTokens: 1 };
  const { answers } = await textRollouts(request({ task, settings: navigation }));
  const random = new Philox(2, 'rl episodes', 5);
  const positions = [0, 2, 4, 6].map((row) => {
    const examples = task.examples(task.trainingEpisode('inDist', random));
    const position = random.int(examples.length);
    expect(answers[row]!.prompt).toEqual(text.codec.promptIds(examples[position]!.prompt));
    return position;
  });
  expect(new Set(positions).size).toBeGreaterThan(1);
});

test('credit runs over the answers of a dialogue; one that was cut off goes on with the value of what was asked next', () => {
  const dialogues = [
    { answers: [0, 2], next: null, success: true },
    { answers: [1], next: [7], success: false },
  ];
  const given = { rewards: [-1, -2, 5], values: [0.5, 1, 2], nextValues: [99, 4] };
  const plain = { gamma: 0.9, gaeLambda: 0.5, normalizeAdvantages: false, whitening: 'unbiasedDeviation' as const };
  const { advantages, returns } = dialogueCredit(dialogues, given, plain);
  const last = 5 - 2;
  const expected = [-1 + 0.9 * 2 - 0.5 + 0.9 * 0.5 * last, -2 + 0.9 * 4 - 1, last];
  expected.forEach((value, i) => expect(advantages[i]).toBeCloseTo(value, 12));
  expected.forEach((value, i) => expect(returns[i]).toBeCloseTo(value + given.values[i]!, 12));
  const whitened = dialogueCredit(dialogues, given, { ...plain, normalizeAdvantages: true });
  expect(whitened.advantages.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 12);
  expect(whitened.returns).toEqual(returns);
});

test('a KL penalty lowers the reward of an answer by the log-ratios of its tokens', async () => {
  const rollouts = await textRollouts(request({ settings: { ...settings, rolloutSize: 2 } }));
  const of = (value: number): Float32Array[] => rollouts.answers.map(({ answer }) => new Float32Array(answer.length).fill(value)); // prettier-ignore
  const rewards = penalisedRewards(rollouts, of(-1), of(-1.5), 0.2);
  rollouts.answers.forEach(({ reward, answer }, i) =>
    expect(rewards[i]).toBeCloseTo(reward - 0.2 * 0.5 * answer.length, 6),
  );
  expect(Array.from(penalisedRewards(rollouts, of(-1), null, 0.2))).toEqual(
    rollouts.answers.map(({ reward }) => reward),
  );
});

test.each(['generalPoints', 'navigation', 'determinant'] as const)(
  'the tokens before the last field of an answer weigh less: %s',
  (name) => {
    const task = openTextTask({ name });
    const { answer: reference } = task.examples(task.trainingEpisode('inDist', new Philox(1)))[0]!;
    const { codec } = text;
    const field = { generalPoints: '"formula":', navigation: '"action":', determinant: '"determinant":' }[name];
    for (const answer of [reference.text, `{${field} 1}`]) {
      const ids = codec.answerIds(answer);
      const begins = ids.map((_, i) => codec.tokenizer.decode(ids.slice(0, i)).length);
      const expected = begins.map((start) => (start < answer.indexOf(field) ? 0.5 : 1));
      expect(answerWeights(codec, reference, ids, 0.5)).toEqual(expected);
      expect(new Set(expected).size).toBe(2);
    }
    // An answer without the field has nothing that counts in full; a weight of 1 is the plain sum.
    const without = codec.answerIds('I do not know.');
    expect(answerWeights(codec, reference, without, 0.5)).toEqual(without.map(() => 0.5));
    expect(answerWeights(codec, reference, without, 1)).toEqual(without.map(() => 1));
  },
);
