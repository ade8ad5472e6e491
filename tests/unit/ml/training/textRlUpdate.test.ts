/**
 * The update of RL in text: its loss is that of explicit float64 loops over single answers, its gradient the slope of that
 * loss, and neither depends on how the minibatch is cut.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Compute, openCompute } from '../../../../main/compute/compute.ts';
import { type TextRlSettings, textRlSettingsSchema } from '../../../../main/contract/settings.ts';
import { weightCatalogue } from '../../../../main/ml/model/weights.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';
import { addAnswerValueHead } from '../../../../main/ml/training/answerValueHead.ts';
import { GatheredOptimizer } from '../../../../main/ml/training/gatheredOptimizer.ts';
import { type TextLearner, scoreAnswers } from '../../../../main/ml/training/textRlSteps.ts';
import { type LearnedAnswer, textRlUpdate } from '../../../../main/ml/training/textRlUpdate.ts';
import { type LossTerms, lossTerms } from './textRlOracle.ts';
import { toyTextTask } from './toyTextTask.ts';

const timeoutMs = 120_000;
const folder = 'tests/fixtures/tiny-qwen2';
const settings: TextRlSettings = textRlSettingsSchema.parse({
  ...{ rolloutTemperature: 0.7, clipCoef: 0.2, vfCoef: 0.5, entCoef: 0.05, anchorCoef: 0.3, maxGradNorm: 1e9 },
  ...{ beta1: 0.9, beta2: 0.98, adamEps: 1e-7, microBatchSize: null },
});
const rates = { policyUpdate: 1, valueUpdate: 1, learningRate: 0, valueLearningRate: 0 };

let compute: Compute;
let reference: TextModel;
beforeAll(async () => {
  compute = await openCompute();
  reference = await TextModel.open(compute, folder);
});
afterAll(() => reference.model.dispose());

interface Setting {
  text: TextModel;
  learner: TextLearner;
  answers: LearnedAnswer[];
}

/** A policy a little away from the base, and answers of several lengths, inside and outside the clipping range. */
async function withLearner<T>(more: Partial<TextRlSettings>, use: (given: Setting) => Promise<T>): Promise<T> {
  const text = await TextModel.open(compute, folder);
  try {
    const { model, codec } = text;
    for (const { name } of weightCatalogue(model.config)) {
      const noise = new Philox('away from the base', name);
      await model.session.write(
        name,
        (await model.session.read(name)).map((x) => x + 0.01 * noise.gaussian()),
      );
    }
    const all = { ...settings, ...more };
    const adamW = { beta1: all.beta1, beta2: all.beta2, eps: all.adamEps, weightDecay: 0 };
    const names = weightCatalogue(model.config).map(({ name }) => name);
    const head = addAnswerValueHead(model, all.valueHead, 3);
    const learner: TextLearner = {
      ...{ model, settings: all },
      policy: new GatheredOptimizer(model, 'adamW.policy', names, adamW),
      critic: { head, optimizer: new GatheredOptimizer(model, 'adamW.value', head.names, adamW) },
    };
    const random = new Philox('answers of the minibatch');
    const task = toyTextTask();
    const given = [3, 5, 1, 20, 4].map((length, i) => {
      const episode = task.trainingEpisode('inDist', random);
      const dialogue = task.open(episode, { attempts: 2 });
      if (i % 2 === 1) dialogue.step('no');
      const answer = Array.from({ length }, () => random.int(300));
      return { prompt: codec.promptIds(dialogue.messages), answer, verdict: task.verify(episode, '', 0) };
    });
    const { logprobs, values } = await scoreAnswers(text, head, all.rolloutTemperature, given, undefined);
    const answers = given.map((one, i): LearnedAnswer => ({
      ...{ ...one, reward: 0, ended: false, weights: one.answer.map((_, t) => (t < 2 ? 0.5 : 1)) },
      // Ratios within the clipping range and beyond it on either side, by answer and by token.
      oldLogprobs: logprobs[i]!.map((own, t) => own + [0.06, -0.9, 0.4, 0.01, -0.4][i]! * (t % 2 === 0 ? 1 : -0.3)),
      advantage: [1.5, -0.7, 0.9, -1.2, 0.4][i]!,
      critic: { value: values[i]! + [0.05, -0.5, 0.4, 0.02, 0.3][i]!, return: [1, -1, 0.5, 2, -0.3][i]! },
    }));
    return await use({ text, learner, answers });
  } finally {
    text.model.dispose();
  }
}

const updateOf = ({ text, learner }: Setting) =>
  textRlUpdate(learner, { policy: true, reward: true, anchorCoef: learner.settings.anchorCoef }, reference.model, text.codec.padId, undefined); // prettier-ignore

/** The gathered gradient, by the name of its variable. */
async function gradientsOf({ learner }: Setting): Promise<Map<string, Float32Array>> {
  const { model, critic } = learner;
  const names = [...weightCatalogue(model.config).map(({ name }) => name), ...critic!.head.names];
  const entries = await Promise.all(names.map(async (name) => [name, await model.session.read(`gradient ${name}`)] as const)); // prettier-ignore
  return new Map(entries);
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

// The slope is measured with a finite step: single tokens bend the loss less than whole answers do.
describe.each([
  ['answer', 4e-3],
  ['token', 1e-3],
] as const)('one ratio for each %s', (actionUnit, tolerance) => {
  test(
    'the loss is that of explicit loops, the gradient its slope along every kind of weight',
    () =>
      withLearner({ actionUnit }, async (given) => {
        const { learner, answers } = given;
        const { model } = learner;
        const loss = (): Promise<LossTerms> => lossTerms(model, reference.model, answers, learner.settings);
        const metrics = await updateOf(given)(answers, rates, true);
        const { total, ...expected } = await loss();
        expect(expected.clipFraction).toBeGreaterThan(0.2);
        expect(expected.clipFraction).toBeLessThan(0.9);
        expect(Number.isFinite(total)).toBe(true);
        for (const [name, value] of Object.entries(expected))
          expect(Math.abs(metrics[name]! - value), name).toBeLessThan(2e-5 * Math.max(1, Math.abs(value)));

        const gradients = await gradientsOf(given);
        const all = Math.hypot(...[...gradients.values()].map(norm));
        expect(metrics['gradNorm']! / all).toBeCloseTo(1, 4);
        for (const [name, gradient] of [...gradients].filter(([name]) => !name.includes('layers.1'))) {
          const size = norm(gradient);
          const before = await model.session.read(name);
          const direction = gradient.map((x) => x / size);
          const at = async (distance: number): Promise<number> => {
            await model.session.write(name, before.map((x, i) => x + distance * direction[i]!)); // prettier-ignore
            return (await loss()).total;
          };
          const distance = Math.min(1e-2, 2e-3 / size);
          const slope = (await at(distance)) - (await at(-distance));
          await model.session.write(name, before);
          expect(Math.abs(slope / (2 * distance) / size - 1), name).toBeLessThan(tolerance);
        }
      }),
    timeoutMs,
  );
});

test(
  'a minibatch cut into micro-batches gives the gradient of the whole',
  async () => {
    const gathered = (microBatchSize: number | null) =>
      withLearner({ microBatchSize }, async (given) => {
        const metrics = await updateOf(given)(given.answers, rates, true);
        return { metrics, gradients: await gradientsOf(given) };
      });
    const whole = await gathered(null);
    for (const microBatchSize of [1, 2]) {
      const cut = await gathered(microBatchSize);
      for (const [name, value] of Object.entries(whole.metrics))
        if (!name.startsWith('updateNorm')) expect(Math.abs(cut.metrics[name]! - value), name).toBeLessThan(1e-5 * Math.max(1, value)); // prettier-ignore
      for (const [name, gradient] of whole.gradients) {
        const other = cut.gradients.get(name)!;
        expect(norm(gradient.map((x, i) => x - other[i]!)), name).toBeLessThan(1e-5 * whole.metrics['gradNorm']!);
      }
    }
  },
  timeoutMs,
);
