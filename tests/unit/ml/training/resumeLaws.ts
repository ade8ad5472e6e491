/** The law of resuming: a run that was stopped, saved and loaded ends with the same bits as one that never stopped. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, type Compute, openCompute } from '../../../../main/compute/compute.ts';
import type { WeightMap } from '../../../../main/ml/model/weights.ts';
import { trainPpo } from '../../../../main/ml/training/ppo.ts';
import { pretrain } from '../../../../main/ml/training/pretrain.ts';
import { hasResumeState } from '../../../../main/ml/training/resumeState.ts';
import { trainSft } from '../../../../main/ml/training/sft.ts';
import type { TrainingRequest } from '../../../../main/ml/training/trainingRun.ts';
import { toyPpo, toyPretrain, toyRequest, toySft } from './toyRun.ts';

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

export function resumeLaws(backend: Backend): void {
  let compute: Compute;
  let folder: string;
  beforeAll(async () => {
    compute = await openCompute({ backend });
    folder = await mkdtemp(path.join(tmpdir(), 'resume-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function expectSameRun<Settings>(
    run: Run<Settings>,
    request: TrainingRequest<Settings>,
    stopAt: number,
    name: string,
  ) {
    const state = path.join(folder, name);
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

  test.each([2, 5])(
    'PPO with anchor: 8 iterations, stopped after %i',
    async (stopAt) => {
      const request = toyPpo(compute, 'ppoAnchor');
      await expectSameRun((given) => trainPpo({ ...request, ...given }), request, stopAt, `ppo-${stopAt}`);
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
