/** Evaluation in text with a tiny checkpoint: what is counted is what is kept, and no episode depends on another. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textTaskNames } from '../../../../main/contract/settings.ts';
import { openCompute } from '../../../../main/compute/compute.ts';
import {
  type TextEvaluationSettings,
  evaluateText,
  textEpisodeSets,
} from '../../../../main/ml/evaluation/evaluateText.ts';
import { givenPart, resultMasses } from '../../../../main/ml/evaluation/forcedAnswers.ts';
import { stepLosses, tokenExample } from '../../../../main/ml/evaluation/textLosses.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';

const settings: TextEvaluationSettings = {
  attempts: 1,
  samples: 1,
  decoding: { mode: 'sample', temperature: 1, topP: 0.95 },
  maxNewTokens: 8,
  seed: 5,
  massEpisodes: 2,
};

let text: TextModel;
beforeAll(async () => {
  text = await TextModel.open(await openCompute(), 'tests/fixtures/tiny-qwen2');
});
afterAll(() => text.model.dispose());

test('what is counted is what is kept: every answer, judged again, has the verdict it was given', async () => {
  const task = openTextTask({ name: 'generalPoints' });
  const sets = textEpisodeSets(task, 2, 9, true);
  expect(sets.inDist.map(({ keys }) => keys)).toEqual(sets.ood.map(({ keys }) => keys));
  const { evaluation, samples } = await evaluateText(text, task, sets, { ...settings, attempts: 2, samples: 2 });
  for (const sample of samples) {
    const verdict = task.verify(sets[sample.split][sample.episode]!, sample.answer, 0);
    expect(verdict).toMatchObject({ verdict: sample.verdict, correct: sample.correct });
    expect(sample.answer.startsWith(sample.given)).toBe(true);
  }
  for (const split of ['inDist', 'ood'] as const) {
    const score = evaluation[split];
    const own = samples.filter((sample) => sample.split === split);
    const right = (kind: string): Set<number> =>
      new Set(own.filter((sample) => sample.kind === kind && sample.correct).map(({ episode }) => episode));
    expect(score.n).toBe(2);
    expect(score.correct).toBe(right('answer').size);
    expect(score.outcomes).toBe([0, 1].map((i) => (right('answer').has(i) ? '1' : '0')).join(''));
    expect(score.forcedCorrect).toBe(right('forced').size);
    expect(own.filter(({ kind }) => kind === 'answer')).toHaveLength(4);
    expect(own.filter(({ kind }) => kind === 'passAtK')).toHaveLength(4);
    expect(score.answers!.passAtK).toHaveLength(2);
    // A second attempt is told what was wrong with the first.
    const second = own.find(({ kind, turn }) => kind === 'answer' && turn === 1)!;
    const first = own.find((sample) => sample.kind === 'answer' && sample.episode === second.episode)!;
    expect(second.messages.slice(0, 2)).toEqual([...first.messages, { role: 'assistant', content: first.answer }]);
    expect(second.messages.at(-1)!.content).toMatch(/^You failed this trial because /);
  }
  expect(evaluation.text).toMatchObject({ attempts: 2 });
});

test('an episode is answered the same in a smaller set', async () => {
  const task = openTextTask({ name: 'determinant' });
  const whole = textEpisodeSets(task, 6, 2, false);
  const part = { inDist: whole.inDist.slice(0, 2), ood: whole.ood.slice(0, 3) };
  const answersOf = async (sets: typeof whole): Promise<Map<string, string>> => {
    const { samples } = await evaluateText(text, task, sets, { ...settings, samples: 2, massEpisodes: 0 });
    return new Map(samples.map(({ kind, split, episode, sample, answer }) => [[kind, split, episode, sample].join(), answer])); // prettier-ignore
  };
  const all = await answersOf(whole);
  const some = await answersOf(part);
  expect(some.size).toBe(20);
  for (const [key, answer] of some) expect([key, answer]).toEqual([key, all.get(key)]);
  const drawn = [...all].filter(([key]) => key.startsWith('passAtK,inDist,0')).map(([, answer]) => answer);
  expect(new Set(drawn).size).toBe(2);
});

test.each(textTaskNames)('%s: right results have a mass between that of the label and 1', async (name) => {
  // A short route: all its points are asked for.
  const task = openTextTask(name === 'navigation' ? { name, shape: { legs: [1, 1], forwards: [1, 1] } } : { name });
  const episodes = task.heldOutEpisodes('ood', 1, 4);
  const masses = await resultMasses(text, task, episodes);
  expect(masses).toHaveLength(task.examples(episodes[0]!).length);
  for (const { any, reference } of masses) {
    expect(reference).toBeGreaterThan(0);
    expect(any).toBeGreaterThanOrEqual(reference);
    expect(any).toBeLessThanOrEqual(1);
  }
});

test('the mass of the label is the product of its own tokens, up to the end mark', async () => {
  const task = openTextTask({ name: 'generalPoints' });
  const [episode] = task.heldOutEpisodes('inDist', 1, 11);
  const [example] = task.examples(episode!);
  const { codec } = text;
  const { prompt, answer } = tokenExample(codec, example!);
  const { ids: given, text: givenText } = givenPart(codec, example!.answer);
  expect(example!.answer.text.startsWith(givenText)).toBe(true);
  expect(answer.slice(0, given.length)).toEqual(given);
  const quote = example!.answer.text.lastIndexOf('"');
  const starts = codec.startsOf(codec.textIds(example!.answer.text));
  const end = starts.findIndex((start) => start > quote);
  const losses = (await text.answerLosses([{ prompt, answer }]))[0]!;
  const product = Math.exp(-losses.slice(given.length, end).reduce((sum, loss) => sum + loss, 0));
  const [mass] = await resultMasses(text, task, [episode!]);
  expect(Math.abs(mass!.reference / product - 1)).toBeLessThan(1e-4);
});

test('the steps of the loss are parts of the whole', async () => {
  const task = openTextTask({ name: 'navigation' });
  const examples = task.examples(task.heldOutEpisodes('inDist', 1, 1)[0]!).slice(0, 3);
  const means = await stepLosses(text, examples);
  const steps = examples.flatMap(({ answer }) => text.codec.stepsOf(answer));
  const parts = (['format', 'card', 'number', 'formula'] as const).map(
    (step) => means[step] * steps.filter((one) => one === step).length,
  );
  expect(parts.reduce((sum, part) => sum + part, 0) / steps.length).toBeCloseTo(means.all, 5);
});
