/**
 * Laws of the training loops. Resuming: a run that was stopped, saved and loaded ends with the same bits as one that never
 * stopped. Backends: compiled and op by op give the same bits. Arms: each of them reads what it says and nothing else.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, type Compute, openCompute } from '../../../../main/compute/compute.ts';
import type { RlArm, RlSettings } from '../../../../main/contract/settings.ts';
import type { WeightMap } from '../../../../main/ml/model/weights.ts';
import { type PpoRequest, trainPpo } from '../../../../main/ml/training/ppo.ts';
import { pretrain } from '../../../../main/ml/training/pretrain.ts';
import { hasResumeState } from '../../../../main/ml/training/resumeState.ts';
import { trainSft } from '../../../../main/ml/training/sft.ts';
import type { TrainingRequest } from '../../../../main/ml/training/trainingRun.ts';
import { toyPpo, toyPretrain, toyRequest, toyRl, toySft, toyWeights } from './toyRun.ts';

interface Recording {
  weights: WeightMap;
  metrics: [step: number, values: Record<string, number>][];
  checkpoints: number[];
}

/** Three runs, each of which compiles its steps anew: most of a minute on a busy machine. */
const timeoutMs = 90_000;

type Run<Settings> = (request: TrainingRequest<Settings>) => Promise<WeightMap>;

async function record<Settings>(run: Run<Settings>, request: TrainingRequest<Settings>): Promise<Recording> {
  const metrics: Recording['metrics'] = [];
  const checkpoints: number[] = [];
  const weights = await run({
    ...request,
    onMetrics: (step, { tokensPerSecond: _, ...values }) => void metrics.push([step, values]),
    onCheckpoint: (step) => void checkpoints.push(step),
  });
  return { weights, metrics, checkpoints };
}

/** Runs until the resume point of `stopAt` is written, as if the process ended there. */
async function interrupt<Settings>(
  run: Run<Settings>,
  request: TrainingRequest<Settings>,
  stopAt: number,
  folder: string,
) {
  const abort = new AbortController();
  const stopped = run({
    ...request,
    signal: abort.signal,
    resumeEverySteps: 1,
    onResumePoint: async (step, trainer) => {
      await trainer.saveResumeState(folder);
      if (step === stopAt) abort.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
}

/** Stopped after `stopAt`, saved into the folder `state` and loaded, a run ends with the bits of one that never stopped. */
export async function expectResumes<Settings>(
  run: Run<Settings>,
  request: TrainingRequest<Settings>,
  stopAt: number,
  state: string,
): Promise<Recording> {
  const whole = await record(run, request);
  await interrupt(run, request, stopAt, state);
  expect(await hasResumeState(state)).toBe(true);
  const rest = await record(run, { ...request, resume: state });
  expect(rest.metrics).toEqual(whole.metrics.filter(([step]) => step > stopAt));
  expect(rest.checkpoints).toEqual(whole.checkpoints.filter((step) => step >= stopAt));
  for (const [weight, { data }] of whole.weights) {
    expect(Buffer.compare(bytesOf(rest.weights.get(weight)!.data), bytesOf(data)), weight).toBe(0);
  }
  return whole;
}

export function trainingLaws(backend: Backend): void {
  let compute: Compute;
  let folder: string;
  beforeAll(async () => {
    compute = await openCompute({ backend });
    folder = await mkdtemp(path.join(tmpdir(), 'resume-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const expectSameRun = <Settings>(
    run: Run<Settings>,
    request: TrainingRequest<Settings>,
    stopAt: number,
    name: string,
  ): Promise<Recording> => expectResumes(run, request, stopAt, path.join(folder, name));

  test(
    'pretraining: 20 steps are 9 and 11',
    async () => {
      await expectSameRun(pretrain, toyRequest(compute, toyPretrain), 9, 'pretrain');
    },
    timeoutMs,
  );

  test(
    'SFT: 20 steps are 10 and 10',
    async () => {
      const whole = await expectSameRun(trainSft, toyRequest(compute, toySft), 10, 'sft');
      expect(whole.checkpoints).toEqual([0, 10, 20]);
      expect(whole.metrics.at(-1)![1]['loss']).toBeLessThan(whole.metrics[0]![1]['loss']!);
    },
    timeoutMs,
  );

  test(
    'SFT with a rotation penalty turns less, says so, and resumes; norms by layer come with every tenth step',
    async () => {
      const penalised = { ...toySft, rotationPenalty: { coefficient: 30, rankShare: 0.25 } };
      const whole = await expectSameRun(trainSft, toyRequest(compute, penalised), 10, 'sft-penalty');
      const last = whole.metrics.at(-1)![1];
      // A penalty of the same run without its weight in the loss: the smallest coefficient that still reports it.
      const free = await record(
        trainSft,
        toyRequest(compute, { ...toySft, rotationPenalty: { coefficient: 1e-12, rankShare: 0.25 } }),
      );
      expect(last['rotationPenalty']).toBeLessThan(0.5 * free.metrics.at(-1)![1]['rotationPenalty']!);
      expect(whole.metrics.filter(([, values]) => 'gradNormLayer0' in values).map(([step]) => step)).toEqual([10, 20]);
      const norms = [0, 1].map((layer) => last[`gradNormLayer${layer}`]!);
      expect(Math.hypot(...norms)).toBeLessThan(last['gradNorm']!);
      expect(last['updateNormLayer1']).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  test.each([2, 5])(
    'PPO with anchor: 8 iterations, stopped after %i',
    async (stopAt) => {
      const request = toyPpo(compute, 'ppoAnchor');
      await expectSameRun((given) => trainPpo({ ...request, ...given }), request, stopAt, `ppo-${stopAt}`);
    },
    timeoutMs,
  );

  const bytesOfAll = (weights: WeightMap): Buffer =>
    Buffer.concat([...weights.values()].map(({ data }) => bytesOf(data)));

  test(
    'GRPO with anchor: 6 iterations, stopped after 3; no critic, the policy learns from the first',
    async () => {
      const settings: RlSettings = { ...toyRl, algorithm: 'grpo', groupSize: 4, iterations: 6 };
      const request = toyPpo(compute, 'ppoAnchor', settings);
      const { metrics } = await expectSameRun((given) => trainPpo({ ...request, ...given }), request, 3, 'grpo');
      for (const [, values] of metrics) {
        expect(values).not.toHaveProperty('valueLoss');
        expect(values).not.toHaveProperty('explainedVariance');
      }
      expect(metrics[0]![1]['learningRate']).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  test(
    'epochs end once the policy has moved by more than targetKl; the value loss can be clipped',
    async () => {
      const settings = { ...toyRl, criticWarmupIterations: 0, updateEpochs: 4, iterations: 2 };
      const run = async (more: Partial<RlSettings>): Promise<Recording> => {
        const request = toyPpo(compute, 'ppoPlain', { ...settings, ...more });
        return record((given) => trainPpo({ ...request, ...given }), request);
      };
      const stopped = await run({ targetKl: 1e-9 });
      expect(stopped.metrics.map(([, values]) => values['epochs'])).toEqual([1, 1]);
      expect((await run({ targetKl: 1e9 })).metrics.map(([, values]) => values['epochs'])).toEqual([4, 4]);
      const clipped = await run({ clipValueLoss: true });
      const plain = await run({});
      // Before the value has moved both losses are the same but for the factor 1/2.
      expect(clipped.metrics.at(-1)![1]['valueLoss']).not.toBe(plain.metrics.at(-1)![1]['valueLoss']);
    },
    timeoutMs,
  );

  test(
    'the same bits op by op and compiled',
    async () => {
      const sft = toyRequest(compute, { ...toySft, steps: 4 });
      expect(bytesOfAll(await trainSft({ ...sft, eager: true })).equals(bytesOfAll(await trainSft(sft)))).toBe(true);
      const ppo = toyPpo(compute, 'ppoAnchor', { ...toyRl, iterations: 3, criticWarmupIterations: 1 });
      expect(bytesOfAll(await trainPpo({ ...ppo, eager: true })).equals(bytesOfAll(await trainPpo(ppo)))).toBe(true);
    },
    timeoutMs,
  );

  // Which inputs an arm reads does not depend on the backend; wasm has nothing to compile.
  if (backend === 'wasm')
    test(
      'arms: plain PPO does not read the reference, the anchor alone does not read the rewards',
      async () => {
        const settings = { ...toyRl, iterations: 2, criticWarmupIterations: 0, updateEpochs: 1 };
        const otherRewards = { ...settings, rewards: { correct: 5, wrongFormula: 3, wrongNumber: -1, badFormat: 2 } };
        const after = async (arm: RlArm, change: Partial<PpoRequest> = {}): Promise<Buffer> => {
          return bytesOfAll(await trainPpo({ ...toyPpo(compute, arm, settings), ...change }));
        };
        const otherReference = { referenceWeights: toyWeights() };
        const plain = await after('ppoPlain');
        expect((await after('ppoPlain', otherReference)).equals(plain)).toBe(true);
        expect((await after('ppoPlain', { settings: otherRewards })).equals(plain)).toBe(false);
        const anchored = await after('ppoAnchor');
        expect(anchored.equals(plain)).toBe(false);
        expect((await after('ppoAnchor', otherReference)).equals(anchored)).toBe(false);
        const anchorOnly = await after('anchorOnly');
        expect((await after('anchorOnly', { settings: otherRewards })).equals(anchorOnly)).toBe(true);
        const penalised = { settings: { ...settings, tokenKlCoef: 1 } };
        const plainPenalised = await after('ppoPlain', penalised);
        expect(plainPenalised.equals(plain)).toBe(false);
        expect((await after('ppoPlain', { ...penalised, ...otherReference })).equals(plainPenalised)).toBe(false);
        const wholeAnswers: PpoRequest['settings'] = { ...settings, actionUnit: 'answer' };
        expect((await after('ppoPlain', { settings: wholeAnswers })).equals(plain)).toBe(false);
      },
      timeoutMs,
    );

  test(
    'the policy stays as it was while only the critic learns',
    async () => {
      const settings = { ...toyRl, iterations: 2, criticWarmupIterations: 2 };
      const trained = await record(
        (given) => trainPpo({ ...toyPpo(compute, 'ppoAnchor', settings), ...given }),
        toyPpo(compute, 'ppoAnchor', settings),
      );
      expect(bytesOfAll(trained.weights).equals(bytesOfAll(toyWeights()))).toBe(true);
      expect(trained.metrics.map(([, values]) => values['learningRate'])).toEqual([0, 0]);
    },
    timeoutMs,
  );

  test('a state of another run is refused', async () => {
    const state = path.join(folder, 'other');
    await interrupt(trainSft, toyRequest(compute, toySft), 1, state);
    const other = { ...toyRequest(compute, toySft), seed: 8, resume: state };
    await expect(trainSft(other)).rejects.toMatchObject({ code: 'CONFLICT' });
    const absent = { ...toyRequest(compute, toySft), resume: path.join(folder, 'absent') };
    await expect(trainSft(absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
