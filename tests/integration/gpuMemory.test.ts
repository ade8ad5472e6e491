/** A job without memory on the GPU fails with the numbers, and the engine lives. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { reasonWithoutWebgpu } from '../webgpuHere.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const reason = await reasonWithoutWebgpu();
if (reason !== '') test.skip(`memory on WebGPU: ${reason}`);
else
  test('a job that asks for too much says what it wanted beside what was in use; the next job starts', async () => {
    const env = {
      ...process.env,
      NODE_ENV: 'test',
      ROTASCOPE_TEST_KINDS: fileURLToPath(new URL('./kinds/gpuKinds.ts', import.meta.url)),
      ROTASCOPE_CACHE: await temporaryFolder(),
      ROTASCOPE_BACKEND: 'webgpu',
    };
    const client = await connect((await startEngineProcess(await temporaryFolder(), {}, env)).listening);
    for (let attempt = 0; attempt < 2; attempt++) {
      const { jobId } = await client.call('app.selfTest', {});
      const job = await until(
        () => client.call('jobs.get', { id: jobId }),
        ({ state }) => !['queued', 'running'].includes(state),
        120_000,
      );
      expect(job.state).toBe('failed');
      expect(job.progress!.gpuMemoryBytes).toBeGreaterThanOrEqual(40_000 * 4);
      expect(job.error).toMatchObject({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/^Step "large" failed: .*a tensor of 6,400 MB/) as string,
        hint: expect.stringContaining('smaller batch') as string,
      });
    }
  });
