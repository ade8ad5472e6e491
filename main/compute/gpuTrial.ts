/**
 * Whether the GPU computes right, found out in a process of its own: a broken driver may crash or hang it, and what a
 * process has loaded it cannot give back. Run as a script it is that process.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const trialTimeoutMs = 120_000;
const trialVariable = 'ROTASCOPE_GPU_TRIAL';
let reason: Promise<string> | undefined;

/** @returns why the GPU is not used; '' when its self-test passed */
export function reasonAgainstGpu(): Promise<string> {
  // Inside the trial itself the GPU is simply used.
  if (process.env[trialVariable] !== undefined) return Promise.resolve('');
  reason ??= new Promise((resolve) => {
    const options = { env: { ...process.env, [trialVariable]: '1' }, timeout: trialTimeoutMs };
    execFile(process.execPath, [fileURLToPath(import.meta.url)], options, (error, stdout) => {
      const said = stdout.trim();
      resolve(error === null ? '' : `The GPU is not used: ${said === '' ? error.message : said}`);
    });
  });
  return reason;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { openCompute } = await import('./compute.ts');
  const { runSelfTest } = await import('./selfTest.ts');
  const compute = await openCompute({ backend: 'tensorflow' });
  const { checks } = await runSelfTest(compute);
  const failed = checks.filter(({ passed }) => !passed);
  if (compute.provenance['device'] !== 'gpu')
    failed.push({ name: 'Device', passed: false, figure: 'no GPU found', nextStep: '' });
  console.log(failed.map(({ name, figure }) => `${name}: ${figure}`).join('; '));
  process.exitCode = failed.length > 0 ? 1 : 0;
}
