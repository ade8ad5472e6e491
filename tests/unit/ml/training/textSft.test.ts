/**
 * Laws of SFT in text, on a tiny checkpoint: an update does not depend on how its batch is cut, a run that was stopped ends
 * with the bits of one that was not, and what is learned is the whole answer with its end.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, openCompute } from '../../../../main/compute/compute.ts';
import { sftSettingsSchema } from '../../../../main/contract/settings.ts';
import { tokenExample } from '../../../../main/ml/evaluation/textLosses.ts';
import type { WeightMap } from '../../../../main/ml/model/weights.ts';
import { openTextTask } from '../../../../main/ml/tasks/textTasks.ts';
import { sftExamples } from '../../../../main/ml/tasks/sftData.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';
import { accumulatedUpdate } from '../../../../main/ml/training/accumulatedUpdate.ts';
import { type TextSftRequest, type TextSftRunSettings, trainTextSft } from '../../../../main/ml/training/textSft.ts';

const timeoutMs = 90_000;
const folder = 'tests/fixtures/tiny-qwen2';
/** Short prompts: the rule of the answer is all that a law needs. */
const examples = sftExamples(openTextTask({ name: 'determinant' }), 'inDist', 12, 3).map(({ answer }, i) => ({
  prompt: [{ role: 'user' as const, content: `Matrix ${'again '.repeat(i % 3)}${i}?` }],
  answer,
}));
const settings: TextSftRunSettings = {
  ...sftSettingsSchema.parse({
    batchSize: 5,
    steps: 6,
    learningRate: 3e-3,
    schedule: 'cosine',
    checkpoints: [0, 3, 6],
  }),
  ...{ beta1: 0.9, beta2: 0.98, adamEps: 1e-7, microBatchSize: 2 },
};

let compute: Compute;
let scratch: string;
beforeAll(async () => {
  compute = await openCompute();
  scratch = await mkdtemp(path.join(tmpdir(), 'text-sft-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function withModel<T>(use: (text: TextModel) => Promise<T>): Promise<T> {
  const text = await TextModel.open(compute, folder);
  try {
    return await use(text);
  } finally {
    text.model.dispose();
  }
}

const largest = (a: WeightMap, b: WeightMap): number =>
  Math.max(...[...a].map(([name, { data }]) => data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.get(name)!.data[i]!)), 0))); // prettier-ignore

test.each([0, 50])(
  'a batch cut into micro-batches gives the update of the whole, penalty %d',
  async (coefficient) => {
    // An eps far above every gradient: the update is the gradient itself but for a factor.
    const optimizer = { beta1: 0.9, beta2: 0.98, eps: 1, weightDecay: 0.1 };
    const updated = (microBatchSize: number) =>
      withModel(async (text) => {
        const { model } = text;
        const square = () => model.tf.sum(model.tf.square(model.variable('model.norm.weight')));
        const penalty = coefficient > 0 ? { coefficient, value: square } : undefined;
        const update = accumulatedUpdate(text, { ...optimizer, microBatchSize, maxGradNorm: 1, penalty });
        const batch = examples.slice(0, 5).map((example) => tokenExample(text.codec, example));
        const before = await model.readWeights();
        const result = await update(batch, 1, 1, true);
        return { result, before, weights: await model.readWeights() };
      });
    const whole = await updated(5);
    const moved = largest(whole.weights, whole.before);
    expect(moved).toBeGreaterThan(1e-3);
    for (const microBatchSize of [1, 2]) {
      const cut = await updated(microBatchSize);
      expect(cut.result.answerTokens).toBe(whole.result.answerTokens);
      expect(cut.result.loss).toBeCloseTo(whole.result.loss, 5);
      expect(cut.result.gradNorm / whole.result.gradNorm).toBeCloseTo(1, 5);
      for (const [name, norm] of Object.entries(whole.result.layers!))
        expect(cut.result.layers![name]! / norm).toBeCloseTo(1, 4);
      expect(largest(cut.weights, whole.weights)).toBeLessThan(1e-5 * moved);
    }
  },
  timeoutMs,
);

interface Recording {
  weights: WeightMap;
  metrics: [number, Record<string, number>][];
  checkpoints: number[];
}

const run = (more: Partial<TextSftRequest> = {}): Promise<Recording> =>
  withModel(async (text) => {
    const metrics: Recording['metrics'] = [];
    const checkpoints: number[] = [];
    await trainTextSft({
      ...{ text, examples, settings, seed: 4 },
      onMetrics: (step, { tokensPerSecond: _, ...values }) => void metrics.push([step, values]),
      // An answer between two updates, as an evaluation asks for it.
      onCheckpoint: async (step) => {
        checkpoints.push(step);
        await text.generate([text.codec.promptIds(examples[0]!.prompt)], 70, { mode: 'greedy' });
      },
      ...more,
    });
    return { weights: await text.model.readWeights(), metrics, checkpoints };
  });

test(
  'a run that is stopped and goes on ends with the same bits; the loss falls',
  async () => {
    const state = path.join(scratch, 'state');
    const whole = await run();
    const abort = new AbortController();
    const stopped = run({
      signal: abort.signal,
      resumeEverySteps: 1,
      onResumePoint: async (step, trainer) => {
        await trainer.saveResumeState(state);
        if (step === 4) abort.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const rest = await run({ resume: state });
    expect(rest.checkpoints).toEqual([6]);
    expect(rest.metrics).toEqual(whole.metrics.slice(4));
    expect(largest(rest.weights, whole.weights)).toBe(0);
    expect(whole.checkpoints).toEqual([0, 3, 6]);
    const losses = whole.metrics.map(([, { loss }]) => loss!);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
    const others = run({ resume: state, examples: examples.toReversed() });
    await expect(others).rejects.toMatchObject({ code: 'CONFLICT' });
  },
  2 * timeoutMs,
);

test(
  'what is learned is the answer and its end, so that it is given again and stops',
  () =>
    withModel(async (text) => {
      const [example] = examples.slice(1, 2) as [(typeof examples)[number]];
      const learning = { ...settings, batchSize: 1, steps: 120, learningRate: 1e-2, checkpoints: [0], maxGradNorm: 1 };
      await trainTextSft({ text, examples: [example], settings: learning, seed: 1 });
      const [ids] = await text.generate([text.codec.promptIds(example.prompt)], 100, { mode: 'greedy' });
      expect(text.codec.textOf(ids!)).toBe(example.answer.text);
      expect(text.codec.stopIds).toContain(ids!.at(-1));
    }),
  timeoutMs,
);

test('fewer examples than a batch are refused', async () => {
  await expect(run({ examples: examples.slice(0, 4) })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});
