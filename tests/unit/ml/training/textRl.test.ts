/**
 * Laws of RL in text, on a tiny checkpoint: a run that was stopped ends with the bits of one that was not, each arm reads
 * what it says and nothing else, and what is rewarded becomes more frequent.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Compute, openCompute } from '../../../../main/compute/compute.ts';
import { type RlArm, type TextRlSettings, textRlSettingsSchema } from '../../../../main/contract/settings.ts';
import type { WeightMap } from '../../../../main/ml/model/weights.ts';
import { TextModel } from '../../../../main/ml/text/textModel.ts';
import { type TextRlRequest, needsReference, trainTextRl } from '../../../../main/ml/training/textRl.ts';
import { toyTextTask } from './toyTextTask.ts';

const timeoutMs = 180_000;
const folder = 'tests/fixtures/tiny-qwen2';
const settings: TextRlSettings = textRlSettingsSchema.parse({
  ...{ iterations: 3, rolloutSize: 12, minibatchSize: 8, microBatchSize: 1, updateEpochs: 2, groupSize: 4 },
  ...{ learningRate: 1e-3, valueLearningRate: 1e-2, maxGradNorm: 1, rolloutTemperature: 1, maxNewTokens: 6 },
  ...{ dialogueAttempts: 2, evaluateEvery: 2 },
});

let compute: Compute;
let base: TextModel;
let scratch: string;
beforeAll(async () => {
  compute = await openCompute();
  base = await TextModel.open(compute, folder);
  scratch = await mkdtemp(path.join(tmpdir(), 'text-rl-'));
});
afterAll(async () => {
  base.model.dispose();
  await rm(scratch, { recursive: true, force: true });
});

interface Recording {
  weights: WeightMap;
  metrics: [number, Record<string, number>][];
  checkpoints: number[];
}

interface Run extends Partial<Omit<TextRlRequest, 'settings'>> {
  settings?: Partial<TextRlSettings>;
}

async function run({ settings: changed, arm = 'ppoPlain', ...more }: Run = {}): Promise<Recording> {
  const text = await TextModel.open(compute, folder);
  const metrics: Recording['metrics'] = [];
  const checkpoints: number[] = [];
  const all = { ...settings, ...changed };
  try {
    await trainTextRl({
      ...{ text, task: toyTextTask(), settings: all, arm, seed: 4 },
      reference: needsReference(all, arm) ? base.model : null,
      onMetrics: (step, { tokensPerSecond: _, ...values }) => void metrics.push([step, values]),
      onCheckpoint: (step) => void checkpoints.push(step),
      ...more,
    });
    return { weights: await text.model.readWeights(), metrics, checkpoints };
  } finally {
    text.model.dispose();
  }
}

const largest = (a: WeightMap, b: WeightMap): number =>
  Math.max(...[...a].map(([name, { data }]) => data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.get(name)!.data[i]!)), 0))); // prettier-ignore

describe('a run that is stopped and goes on ends with the same bits', () => {
  test.each<[string, Run]>([
    [
      'PPO, anchored, with a KL penalty',
      { arm: 'ppoAnchor', settings: { tokenKlCoef: 0.1, criticWarmupIterations: 1 } },
    ],
    ['GRPO', { settings: { algorithm: 'grpo', actionUnit: 'token', entCoef: 0.01 } }],
  ])(
    '%s',
    async (name, request) => {
      const state = path.join(scratch, name);
      const whole = await run(request);
      const abort = new AbortController();
      const stopped = run({
        ...request,
        signal: abort.signal,
        resumeEverySteps: 1,
        onResumePoint: async (step, trainer) => {
          await trainer.saveResumeState(state);
          if (step === 2) abort.abort();
        },
      });
      await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
      const rest = await run({ ...request, resume: state });
      expect(rest.metrics).toEqual(whole.metrics.slice(2));
      expect(largest(rest.weights, whole.weights)).toBe(0);
      expect([whole.checkpoints, rest.checkpoints]).toEqual([[0, 2, 3], [2, 3]]); // prettier-ignore
      expect(whole.metrics.map(([step]) => step)).toEqual([1, 2, 3]);
      await expect(run({ ...request, resume: state, seed: 5 })).rejects.toMatchObject({ code: 'CONFLICT' });
    },
    timeoutMs,
  );
});

test(
  'arms: plain PPO reads no reference, the anchor alone no rewards',
  async () => {
    const once = {
      iterations: 1,
      updateEpochs: 1,
      minibatchSize: 12,
      microBatchSize: 12,
      dialogueAttempts: 1,
      valueHead: 'linear' as const,
    };
    const otherRewards = toyTextTask({ rewards: { correct: 5, wrong: 3 } });
    const after = async (arm: RlArm, more: Run = {}): Promise<Recording> =>
      run({ arm, ...more, settings: { ...once, ...more.settings } });
    const plain = await after('ppoPlain');
    expect(largest((await after('ppoPlain', { reference: base.model })).weights, plain.weights)).toBe(0);
    expect(largest((await after('ppoPlain', { task: otherRewards })).weights, plain.weights)).toBeGreaterThan(0);
    expect(plain.metrics[0]![1]).not.toHaveProperty('anchorKl');
    expect(plain.metrics[0]![1]).toHaveProperty('explainedVariance');

    // The start is the base: the anchor pulls only once the policy has moved.
    const twice = { settings: { updateEpochs: 2, learningRate: 1e-2 } };
    const [free, anchored] = [await after('ppoPlain', twice), await after('ppoAnchor', twice)];
    expect(largest(free.weights, anchored.weights)).toBeGreaterThan(0);
    expect(anchored.metrics[0]![1]['anchorKl']).toBeGreaterThan(0);

    const entropy = { settings: { ...twice.settings, entCoef: 0.1 } };
    const anchorOnly = await after('anchorOnly', entropy);
    const rewarded = await after('anchorOnly', { ...entropy, task: otherRewards });
    expect(largest(anchorOnly.weights, rewarded.weights)).toBe(0);
    expect(anchorOnly.metrics[0]![1]['reward']).not.toBe(rewarded.metrics[0]![1]['reward']);
    for (const absent of ['policyLoss', 'valueLoss', 'explainedVariance'])
      expect(anchorOnly.metrics[0]![1]).not.toHaveProperty(absent);
  },
  timeoutMs,
);

test(
  'the policy stays as it was while only the critic learns',
  async () => {
    const { weights, metrics } = await run({ settings: { iterations: 2, criticWarmupIterations: 2 } });
    const text = await TextModel.open(compute, folder);
    expect(largest(weights, await text.model.readWeights())).toBe(0);
    text.model.dispose();
    expect(metrics.map(([, { learningRate }]) => learningRate)).toEqual([0, 0]);
    expect(metrics[1]![1]['valueLoss']).toBeGreaterThan(0);
  },
  timeoutMs,
);

describe('what is rewarded becomes more frequent', () => {
  test.each<[string, Partial<TextRlSettings>]>([
    ['PPO', { algorithm: 'ppo', dialogueAttempts: 2 }],
    ['GRPO', { algorithm: 'grpo', actionUnit: 'token', groupSize: 8 }],
  ])(
    '%s',
    async (_, algorithm) => {
      const learning = { iterations: 12, rolloutSize: 64, minibatchSize: 32, microBatchSize: 32, learningRate: 3e-3, maxNewTokens: 4, prefixWeight: 1 }; // prettier-ignore
      const { metrics } = await run({ settings: { ...learning, ...algorithm } });
      const success = metrics.map(([, { successRate }]) => successRate!);
      expect(success[0]).toBeLessThan(0.4);
      expect(Math.min(...success.slice(-3))).toBeGreaterThan(0.9);
    },
    timeoutMs,
  );
});

test(
  'what cannot be trained is said: no base, groups that do not fit, nothing to learn, a run that diverges',
  async () => {
    await expect(run({ arm: 'ppoAnchor', reference: null })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const uneven = { algorithm: 'grpo' as const, groupSize: 5 };
    await expect(run({ settings: uneven })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const nothing: Run = { arm: 'anchorOnly', settings: { anchorCoef: 0 } };
    await expect(run(nothing)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const wild = { learningRate: 1e30, finalLearningRate: 1e30 };
    await expect(run({ settings: wild })).rejects.toMatchObject({ code: 'NOT_FINITE' });
  },
  timeoutMs,
);

test(
  'a run is cancelled between two batches',
  async () => {
    const abort = new AbortController();
    const task = toyTextTask();
    // While the first answers are judged.
    const open: typeof task.open = (...args) => {
      abort.abort();
      return task.open(...args);
    };
    const cancelled = run({ task: { ...task, open }, signal: abort.signal });
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
  },
  timeoutMs,
);
