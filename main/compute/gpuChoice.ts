/**
 * Whether WebGPU's GPU computes instead of the CPU: only a real GPU whose self-test passes, that holds the tensors of a real
 * model and trains faster than the CPU, narrow networks (many small operations) as well as wide ones. Found out once for
 * each GPU, driver and version, kept in the cache, and said with its reason wherever the backend is said.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { cacheFolder } from '../bootstrap/folders.mjs';
import { nativeStatus } from '../bootstrap/native.mjs';
import { type GpuStatus, gpuStatusSchema } from '../contract/api.ts';
import { toErrorShape } from '../contract/errors.ts';
import { runTrial, type Trial } from './gpuTrial.ts';
import type { StepRates } from './stepRate.ts';
import { type GpuFacts, webgpuVersions } from './webgpu.ts';

/** The embedding of Qwen2.5-0.5B [151936, 896] in float32: the largest tensor of the smallest real model. */
const leastBufferBytes = 151_936 * 896 * 4;

/** What is known of the GPU that WebGPU finds; null when nothing was found out yet. */
export function gpuStatus(): GpuStatus | null {
  try {
    const stored = storedSchema.parse(JSON.parse(readFileSync(verdictFile(), 'utf8')));
    return stored.key === verdictKey() ? stored.status : null;
  } catch {
    return null;
  }
}

/** Looks for a GPU and tries it unless that was done; a minute at most. Processes of its own do the work. */
export async function tryGpuOnce(): Promise<GpuStatus> {
  const known = gpuStatus();
  if (known !== null) return known;
  const status = await lookForGpu();
  mkdirSync(cacheFolder(), { recursive: true });
  await writeFileAtomic(verdictFile(), JSON.stringify({ key: verdictKey(), status }));
  return status;
}

async function lookForGpu(): Promise<GpuStatus> {
  try {
    const gpu = await runTrial('webgpu', { rates: true });
    const facts = gpu.gpu!;
    const named = { name: facts.name, largestBufferBytes: facts.largestBufferBytes };
    if (facts.software) return { ...named, use: false, reason: `${facts.name} computes on the CPU.`, nextStep: '' };
    const cpuBackend = nativeStatus().tensorflow.ready ? 'tensorflow' : 'wasm';
    const cpu = gpu.failures.length > 0 ? null : await runTrial(cpuBackend, { rates: true });
    return { ...named, ...decideOnGpu(facts, gpu, cpu) };
  } catch (error) {
    return { name: '', largestBufferBytes: 0, use: false, reason: toErrorShape(error).message, nextStep: '' };
  }
}

/** @param cpu null when it was not asked */
export function decideOnGpu(
  { name, largestBufferBytes }: Pick<GpuFacts, 'name' | 'largestBufferBytes'>,
  gpu: Pick<Trial, 'failures' | 'rates'>,
  cpu: Pick<Trial, 'rates'> | null,
): Pick<GpuStatus, 'use' | 'reason' | 'nextStep'> {
  const no = (reason: string, nextStep: string) => ({ use: false, reason, nextStep });
  if (gpu.failures.length > 0) {
    return no(`The self-test failed on ${name}: ${gpu.failures.join('; ')}.`, "Update the GPU's driver.");
  }
  if (largestBufferBytes < leastBufferBytes) {
    const [has, needs] = [largestBufferBytes, leastBufferBytes].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    return no(`${name} allows tensors of ${has}; the embedding of a 0.5B model has ${needs}.`, chooseIt);
  }
  if (gpu.rates === null || !cpu?.rates)
    return no(`The rate of ${name} could not be compared with the CPU's.`, chooseIt);
  const times = (kind: keyof StepRates): number => gpu.rates![kind] / cpu.rates![kind];
  const [narrow, wide] = [times('narrow'), times('wide')];
  const rates = `${name} trains ${shown(wide)} times as fast as the CPU with wide layers and ${shown(narrow)} times with narrow ones.`;
  return narrow > 1 && wide > 1 ? { use: true, reason: rates, nextStep: '' } : no(rates, wide > 1 ? chooseIt : '');
}

const chooseIt = 'To use it nevertheless, choose WebGPU as the backend.';
const shown = (times: number): string => times.toLocaleString('en', { maximumSignificantDigits: 2 });

const storedSchema = z.object({ key: z.string(), status: gpuStatusSchema });
const verdictFile = (): string => path.join(cacheFolder(), 'webgpu-verdict.json');

/** Everything that the verdict depends on, as far as it can be known without asking the driver. */
export function verdictKey(): string {
  let versions: unknown;
  try {
    versions = webgpuVersions();
  } catch {
    versions = null;
  }
  const gpu = [process.env['ROTASCOPE_GPU'], process.env['ROTASCOPE_SOFTWARE_VULKAN']];
  const facts = { versions, gpu, drivers: drivers(), native: nativeStatus(), cpu: os.cpus()[0]?.model };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

/** Vulkan's drivers, as their packages announce them; elsewhere drivers come with the system. */
function drivers(): string[] {
  if (process.platform !== 'linux') return [os.release()];
  return ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'].flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => `${name} ${statSync(path.join(folder, name)).mtimeMs}`);
    } catch {
      return [];
    }
  });
}
