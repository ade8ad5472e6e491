/** Sessions on WebGPU: what the device refuses, and its loss, are errors with their numbers; the next step computes on. */
import { beforeAll, expect, test } from 'vitest';
import { type CompiledStep, type Compute, openCompute } from '../../../main/compute/compute.ts';
import { runSelfTest } from '../../../main/compute/selfTest.ts';
import { reasonWithoutWebgpu } from '../../webgpuHere.ts';
import { expectGatherGradient } from './gatherGradient.ts';
import { trainingLoop } from './trainingLoop.ts';

const reason = await reasonWithoutWebgpu();
if (reason !== '') test.skip(`sessions on WebGPU: ${reason}`);
else {
  let compute: Compute;
  beforeAll(async () => {
    compute = await openCompute({ backend: 'webgpu' });
  });

  /** A sum [side, side]; neither of its terms takes memory. */
  const outerSum = (side: number): CompiledStep => {
    const { tf } = compute;
    return compute.openSession().compile('outer sum', { x: { shape: [side, 1], dtype: 'float32' } }, ({ x }) => {
      return { sum: tf.sum(tf.add(x!, tf.reshape(x!, [1, side]))) };
    });
  };
  const sumOf = async (side: number): Promise<number> =>
    (await outerSum(side).run({ x: new Float32Array(side).fill(1) }))['sum']!.data[0]!;

  test('the status and the provenance say what computes', async () => {
    expect(compute.tf.getBackend()).toBe('webgpu');
    expect(compute.status).toMatchObject({ backend: 'webgpu', label: expect.stringMatching(/^WebGPU · /) as string });
    expect(compute.provenance).toMatchObject({ backend: 'webgpu', gpu: compute.status.device, dawn: '0.6.2' });
    expect(await openCompute()).toBe(compute);
    await expect(openCompute({ backend: 'wasm' })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('a training loop learns, repeats, and leaves no tensor and no memory behind', async () => {
    await trainingLoop(compute, 2);
    const tensorsBefore = compute.tf.memory().numTensors;
    const usedBefore = compute.gpuMemory()!.usedBytes;
    const first = await trainingLoop(compute, 8);
    expect(await trainingLoop(compute, 8)).toEqual(first);
    expect(first.losses[7]).toBeLessThan(first.losses[0]! * 0.8);
    expect(compute.tf.memory().numTensors).toBe(tensorsBefore);
    expect(compute.gpuMemory()!.usedBytes).toBe(usedBefore);
    expect(compute.gpuMemory()!.allocatedBytes).toBeGreaterThan(0);
  });

  test.each([7, 5000])('gatherRows has its gradient, %i rows', (rows) => expectGatherGradient(compute, false, rows));

  test('a tensor just written gives the same bits as one that is on the GPU already', async () => {
    const { tf } = compute;
    const values = Float32Array.from({ length: 200 }, (_, index) => index / 33 - 3);
    const [written, resident] = [tf.tensor1d(values.slice()), tf.tensor1d(values.slice())];
    const uploading = tf.cos(resident);
    const results = [tf.exp(written), tf.exp(resident)];
    const [first, second] = await Promise.all(results.map((tensor) => tensor.data()));
    expect([...second!]).toEqual([...first!]);
    tf.dispose([written, resident, uploading, ...results]);
  });

  test('what was read is not kept beside the GPU', async () => {
    const { tf } = compute;
    const x = tf.tidy(() => tf.cos(tf.tensor1d([0, 0])));
    expect([...(await x.data())]).toEqual([1, 1]);
    expect([...(await x.data())]).toEqual([1, 1]);
    const { tensorMap } = tf.backend() as unknown as { tensorMap: { get(id: object): { values: unknown } } };
    expect(tensorMap.get(x.dataId).values ?? null).toBeNull();
    x.dispose();
  });

  test('twenty tensors are summed, more than a shader may bind', async () => {
    const { tf } = compute;
    const sum = tf.tidy(() => tf.addN(Array.from({ length: 20 }, (_, index) => tf.fill([3], index))));
    expect([...(await sum.data())]).toEqual([190, 190, 190]);
    sum.dispose();
  });

  test('the self-test passes', async () => {
    const { checks } = await runSelfTest(compute);
    // LAPACK is a part of its own; where it is missing that line says so.
    expect(checks.filter(({ name, passed }) => !passed && name !== 'Singular values')).toEqual([]);
  });

  test('a tensor larger than the device allows is refused with both numbers, and the next step computes', async () => {
    const limit = reportedLimit() / 4;
    const side = Math.ceil(Math.sqrt(limit)) + 1;
    const megabytes = ((side * side * 4) / 1e6).toLocaleString('en', { maximumFractionDigits: 1 });
    await expect(sumOf(side)).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining(`Step "outer sum" failed: a tensor of ${megabytes} MB is larger than`) as string,
      hint: expect.stringContaining('smaller batch') as string,
      details: { wantedBytes: side * side * 4, largestBufferBytes: limit * 4 },
    });
    expect(await sumOf(100)).toBe(20_000);
  });

  // A GPU with memory to spare would simply compute it.
  test.runIf(process.env['ROTASCOPE_SOFTWARE_VULKAN'])('a device without memory says how much was in use', async () => {
    const side = Math.floor(Math.sqrt(reportedLimit() / 4));
    await expect(sumOf(side)).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(
        /has no memory for a tensor of 1,073\.\d MB beside the [\d.]+ MB in use\.$/,
      ) as string,
      details: { wantedBytes: side * side * 4, usedBytes: expect.any(Number) as number },
    });
    expect(await sumOf(100)).toBe(20_000);
  });

  test('buffers in store are given back before a tensor is refused', async () => {
    const before = compute.gpuMemory()!;
    expect(before.allocatedBytes).toBeGreaterThan(before.usedBytes);
    await expect(sumOf(Math.ceil(Math.sqrt(reportedLimit() / 4)) + 1)).rejects.toThrow();
    expect(compute.gpuMemory()!.allocatedBytes).toBeLessThan(before.allocatedBytes);
  });

  // The last one: there is no device after it.
  test('a lost device is said by every step from then on, and what to do', async () => {
    const step = outerSum(10);
    device().destroy();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(step.run({ x: new Float32Array(10) })).rejects.toMatchObject({
        code: 'COMPUTE_FAILED',
        message: expect.stringMatching(/^Step "outer sum" failed: the connection to .* was lost/) as string,
        hint: expect.stringMatching(/^Resume the job/) as string,
      });
    }
  });

  const device = () => (compute.tf.backend() as unknown as { device: GpuDevice }).device;
  const reportedLimit = () => Math.min(device().limits.maxBufferSize, device().limits.maxStorageBufferBindingSize);
}

interface GpuDevice {
  limits: { maxBufferSize: number; maxStorageBufferBindingSize: number };
  destroy(): void;
}
