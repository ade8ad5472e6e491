/** The training loops on WebGPU: few steps, because a GPU in software takes seconds for each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, openCompute } from '../../../main/compute/compute.ts';
import { trainPpo } from '../../../main/ml/training/ppo.ts';
import { trainSft } from '../../../main/ml/training/sft.ts';
import { reasonWithoutWebgpu } from '../../webgpuHere.ts';
import { toyPpo, toyRequest, toyRl, toySft } from '../../unit/ml/training/toyRun.ts';
import { expectResumes } from '../../unit/ml/training/trainingLaws.ts';

const reason = await reasonWithoutWebgpu();
if (reason !== '') test.skip(`training on WebGPU: ${reason}`);
else {
  let compute: Compute;
  let folder: string;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'webgpu' });
    folder = await mkdtemp(path.join(tmpdir(), 'resume-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('SFT: 4 steps are 2 and 2', async () => {
    const settings = { ...toySft, steps: 4, checkpoints: [0, 4] };
    const whole = await expectResumes(trainSft, toyRequest(compute, settings), 2, path.join(folder, 'sft'));
    expect(whole.metrics.at(-1)![1]['loss']).toBeLessThan(whole.metrics[0]![1]['loss']!);
  });

  test('PPO with anchor: 2 iterations are 1 and 1', async () => {
    const settings = { ...toyRl, iterations: 2, criticWarmupIterations: 0, updateEpochs: 1 };
    const request = toyPpo(compute, 'ppoAnchor', settings);
    await expectResumes((given) => trainPpo({ ...request, ...given }), request, 1, path.join(folder, 'ppo'));
  });
}
