/**
 * Whether a backend computes right and how fast, found out in a process of its own: a broken driver may crash or hang it,
 * and what a process has loaded it cannot give back.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Backend } from './compute.ts';
import type { StepRates } from './stepRate.ts';
import type { GpuFacts } from './webgpu.ts';

const trialEntry = fileURLToPath(new URL('./gpuTrialEntry.ts', import.meta.url));
const trialTimeoutMs = 300_000;
const trialVariable = 'ROTASCOPE_GPU_TRIAL';

export interface Trial {
  /** What of the self-test failed; empty when it passed, or was not run on a GPU in software. */
  failures: string[];
  /** Of WebGPU. */
  gpu: GpuFacts | null;
  onGpu: boolean;
  /** null where the self-test failed, or nobody asked. */
  rates: StepRates | null;
}

/**
 * @param options.rates measure the rates too
 * @param options.env more variables of its environment
 * @throws Error the process crashed, hung or could not open the backend: its last words
 */
export function runTrial(
  backend: Backend,
  { rates = false, env = {} }: { rates?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<Trial> {
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...process.env, ROTASCOPE_BACKEND: backend, ...env, [trialVariable]: '1' },
      timeout: trialTimeoutMs,
      killSignal: 'SIGKILL' as const,
    };
    execFile(process.execPath, [trialEntry, backend, ...(rates ? ['rates'] : [])], options, (error, stdout) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      if (error === null) resolve(JSON.parse(last) as Trial);
      else reject(new Error(last === '' ? `its process ended: ${error.message.split('\n')[0]}` : last));
    });
  });
}

/**
 * Of TensorFlow on an NVIDIA GPU.
 * @returns why the GPU is not used; '' when its self-test passed
 */
export async function reasonAgainstCuda(env: NodeJS.ProcessEnv = {}): Promise<string> {
  // Inside the trial itself the GPU is simply used.
  if (process.env[trialVariable] !== undefined) return '';
  try {
    const { failures, onGpu } = await runTrial('tensorflow', { env });
    const all = onGpu ? failures : [...failures, 'TensorFlow found no GPU'];
    return all.length === 0 ? '' : `The GPU is not used: ${all.join('; ')}`;
  } catch (error) {
    return `The GPU is not used: ${(error as Error).message}`;
  }
}
