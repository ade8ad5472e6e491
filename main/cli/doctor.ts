/** `rotascope doctor`: what is installed here, what computes, and whether it computes right. */
import { existsSync } from 'node:fs';
import { platform, arch } from 'node:os';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { decompositionBudgetBytes, spectralCacheFolder } from '../api/analyses.ts';
import { folderSizes, installReport } from '../bootstrap/doctorReport.mjs';
import { dataFolder } from '../bootstrap/folders.mjs';
import { installCuda, recordCudaVerdict } from '../bootstrap/native.mjs';
import { stepReporter } from '../bootstrap/progress.mjs';
import type { ComputeStatus, GpuStatus } from '../contract/api.ts';
import { toErrorShape } from '../contract/errors.ts';
import { decompositionsFolder } from '../ml/spectral/decompositionCache.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';

interface Check {
  name: string;
  passed: boolean;
  figure: string;
  nextStep: string;
}

interface Folder {
  name: string;
  path: string;
  sizeBytes: number;
  /** What it may grow to; absent where nothing limits it. */
  budgetBytes?: number;
}

interface Report {
  type: 'doctor';
  version: string;
  platform: string;
  node: string;
  installed: Awaited<ReturnType<typeof installReport>>;
  folders: Folder[];
  compute: ComputeStatus | null;
  checks: Check[];
  passed: boolean;
}

/** The self-test on the GPU in a process of its own; its verdict decides what later starts use. */
async function tryCuda(): Promise<Check> {
  const { reasonAgainstCuda } = await import('../compute/gpuTrial.ts');
  const failure = await reasonAgainstCuda({ ROTASCOPE_TENSORFLOW: 'cuda' });
  const passed = failure === '';
  recordCudaVerdict({ passed, reason: failure });
  return {
    name: 'GPU',
    passed,
    figure: passed ? 'the self-test passed on the GPU' : failure,
    nextStep: passed ? '' : 'The CPU stays in use. Check the NVIDIA driver, then run this command again.',
  };
}

async function computeAndCheck(): Promise<Pick<Report, 'compute' | 'checks'>> {
  try {
    const { tryGpuOnce } = await import('../compute/gpuChoice.ts');
    const { openCompute } = await import('../compute/compute.ts');
    const { runSelfTest } = await import('../compute/selfTest.ts');
    await tryGpuOnce();
    const compute = await openCompute();
    const { checks } = await runSelfTest(compute);
    return { compute: compute.status, checks };
  } catch (error) {
    const { message, hint = 'Run "npm start", which installs what is missing.' } = toErrorShape(error);
    return { compute: null, checks: [{ name: 'Backend', passed: false, figure: message, nextStep: hint }] };
  }
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}

const gpuLine = ({ name, largestBufferBytes, use }: GpuStatus): string =>
  name === ''
    ? 'not in use'
    : `${name}, tensors of up to ${formatBytes(largestBufferBytes)}, ${use ? 'used' : 'not used unless chosen'}`;

function printReport(report: Report): void {
  console.log(`Rotascope ${report.version} on ${report.platform}, Node ${report.node}\n`);
  console.log('Installed');
  for (const { name, found, version, path, nextStep } of report.installed) {
    console.log(`  ${found ? 'yes' : 'no '} ${name}${version && ` ${version}`}${path && ` (${path})`}`);
    if (nextStep) console.log(`      ${nextStep}`);
  }
  console.log('Folders');
  for (const { name, path, sizeBytes, budgetBytes } of report.folders) {
    const limit = budgetBytes === undefined ? '' : ` of at most ${formatBytes(budgetBytes)}`;
    console.log(`  ${name}: ${path} (${formatBytes(sizeBytes)}${limit})`);
  }
  if (report.compute) {
    const { label, device, reason, nextStep, gpu } = report.compute;
    console.log(`Compute\n  ${label} on ${device}`);
    if (reason) console.log(`  ${reason} ${nextStep}`);
    if (gpu) console.log(`WebGPU\n  ${gpuLine(gpu)}\n  ${gpu.reason} ${gpu.nextStep}`);
  }
  console.log('Self-test');
  for (const { name, passed, figure, nextStep } of report.checks) {
    console.log(`  ${passed ? 'passed' : 'FAILED'} ${name}: ${figure}`);
    if (nextStep) console.log(`         ${nextStep}`);
  }
}

/** Data, cache, and of the data the decompositions, which have a budget. */
async function folders(): Promise<Folder[]> {
  const cache = spectralCacheFolder(dataFolder());
  let existing = cache;
  while (!existsSync(existing)) existing = dirname(existing);
  const sizes = await folderSizes([{ name: 'decompositions', path: decompositionsFolder(cache) }]);
  const budgetBytes = decompositionBudgetBytes(existing, null);
  return sizes.map((folder) => (folder.name === 'decompositions' ? { ...folder, budgetBytes } : folder));
}

async function doctor(options: { json: boolean; installCuda: boolean }): Promise<number> {
  const gpuChecks: Check[] = [];
  if (options.installCuda) {
    const reporter = stepReporter(process.stderr);
    await installCuda({ onProgress: reporter.report });
    reporter.end();
    gpuChecks.push(await tryCuda());
  }
  const { compute, checks } = await computeAndCheck();
  const all = [...checks, ...gpuChecks];
  const report: Report = {
    type: 'doctor',
    version: packageJson.version,
    platform: `${platform()} ${arch()}`,
    node: process.version,
    installed: await installReport(),
    folders: await folders(),
    compute,
    checks: all,
    passed: all.every(({ passed }) => passed),
  };
  if (options.json) console.log(JSON.stringify(report));
  else printReport(report);
  return report.passed ? exitCodes.ok : exitCodes.failed;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say what is installed here, and test that it computes right')
    .option('--json', 'print the report as one JSON line', false)
    .option('--install-cuda', 'first download the CUDA libraries (about 3.3 GB) and try the GPU', false)
    .addHelpText('after', '\nExit codes: 0 all checks passed, 1 a check failed, 2 wrong usage.')
    .action((options: { json: boolean; installCuda: boolean }) => endWith(options.json, () => doctor(options)));
}
