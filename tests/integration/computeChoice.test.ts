/** What computes is chosen by itself, or by the user: an engine of its own, with its own cache, on a Vulkan in software. */
import { expect, test } from 'vitest';
import type { AppState } from '../../main/contract/api.ts';
import { reasonWithoutWebgpu } from '../webgpuHere.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const software = process.env['ROTASCOPE_SOFTWARE_VULKAN'];
const reason = software ? await reasonWithoutWebgpu() : 'ROTASCOPE_SOFTWARE_VULKAN is not set.';

async function environment(more: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const { ROTASCOPE_BACKEND: _, ROTASCOPE_GPU: __, ...rest } = process.env;
  return { ...rest, ROTASCOPE_CACHE: await temporaryFolder(), ROTASCOPE_NATIVE: 'off', ...more };
}

test('without a GPU the CPU computes, and the status says what is missing', async () => {
  const env = await environment({ ROTASCOPE_GPU: 'no GPU has this name', ROTASCOPE_SOFTWARE_VULKAN: software ?? '' });
  const { listening } = await startEngineProcess(await temporaryFolder(), {}, env);
  const client = await connect(listening);
  const known = ({ compute }: AppState): boolean => compute.gpu !== null;
  const { compute, computeChoice } = await until(() => client.call('app.state', {}), known, 60_000);
  expect(compute).toMatchObject({ backend: 'wasm', gpu: { name: '', use: false } });
  expect(compute.gpu!.reason).toMatch(/^WebGPU found no GPU named "no GPU has this name"|^WebGPU is not installed/);
  expect(computeChoice).toEqual({ backend: 'auto', gpu: 'no GPU has this name', fixed: true });
  await expect(client.call('app.chooseCompute', { backend: 'webgpu', gpu: '' })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

if (reason !== '') test.skip(`the choice of WebGPU: ${reason}`);
else
  test('a GPU in software is never chosen by itself; chosen by the user it computes, and a job goes on where it began', async () => {
    const dataFolder = await temporaryFolder();
    const env = await environment({});
    const first = await startEngineProcess(dataFolder, {}, env);
    const client = await connect(first.listening);
    const state = (): Promise<AppState> => client.call('app.state', {});
    const byItself = await until(state, ({ compute }) => compute.gpu !== null, 60_000);
    expect(byItself.compute).toMatchObject({
      backend: 'wasm',
      gpu: { name: expect.stringContaining('SwiftShader') as string, use: false },
    });
    expect(byItself.compute.gpu!.reason).toMatch(/computes on the CPU\.$/);

    await client.call('app.chooseCompute', { backend: 'webgpu', gpu: '' });
    const chosen = await until(state, ({ compute }) => compute.backend === 'webgpu', 60_000);
    expect(chosen).toMatchObject({
      compute: { label: 'WebGPU · software' },
      computeChoice: { backend: 'webgpu', gpu: '', fixed: false },
    });
    const { jobId } = await client.call('app.selfTest', {});
    const began = await until(
      () => client.call('jobs.get', { id: jobId }),
      (job) => job.provenance !== null,
      60_000,
    );
    expect(began.provenance).toMatchObject({ backend: 'webgpu', device: 'software' });

    // What is chosen meanwhile is for new jobs: this one goes on where it began.
    await client.call('app.chooseCompute', { backend: 'wasm', gpu: '' });
    first.process.kill('SIGKILL');
    await first.ended;
    const second = await startEngineProcess(dataFolder, {}, env);
    const again = await connect(second.listening);
    const startedOn = async (): Promise<unknown[]> => {
      const events = await again.call('jobs.events', { id: jobId, afterSeq: 0, limit: 100 });
      return events.flatMap((event) => (event.type === 'started' ? [event.provenance['backend']] : []));
    };
    expect(await until(startedOn, (backends) => backends.length === 2, 60_000)).toEqual(['webgpu', 'webgpu']);

    expect((await again.call('app.state', {})).computeChoice).toEqual({ backend: 'wasm', gpu: '', fixed: false });
  });
