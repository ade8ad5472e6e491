/**
 * Whether the GPU computes right, found out in a process of its own: a broken driver may crash or hang it, and what a
 * process has loaded it cannot give back.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const trialEntry = fileURLToPath(new URL('./gpuTrialEntry.ts', import.meta.url));
const trialTimeoutMs = 120_000;
const trialVariable = 'ROTASCOPE_GPU_TRIAL';

/** @returns why the GPU is not used; '' when its self-test passed */
export function reasonAgainstGpu(): Promise<string> {
  // Inside the trial itself the GPU is simply used.
  if (process.env[trialVariable] !== undefined) return Promise.resolve('');
  return new Promise((resolve) => {
    const options = { env: { ...process.env, [trialVariable]: '1' }, timeout: trialTimeoutMs };
    execFile(process.execPath, [trialEntry], options, (error, stdout) => {
      const said = stdout.trim();
      resolve(error === null ? '' : `The GPU is not used: ${said === '' ? error.message : said}`);
    });
  });
}
