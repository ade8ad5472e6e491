/** What every command needs before it can run: packages, native libraries, the built user interface. */
import { installNative } from './native.mjs';
import { checkNode, engineNode, ensurePackages, withCloneLock } from './packages.mjs';
import { StepFailure } from './stepFailure.mjs';
import { ensureBuild } from './uiBuild.mjs';

/**
 * @param {ReturnType<typeof import('./progress.mjs').stepReporter>} reporter
 * @param {{ builds?: Array<'production' | 'old'>, native?: boolean }} [options]
 * @returns {Promise<string>} Node for the engine
 * @throws {StepFailure}
 */
export async function prepare(reporter, { builds = [], native = true } = {}) {
  checkNode();
  await withCloneLock(reporter.report, () => ensurePackages(reporter.report));
  if (!native) process.env['ROTASCOPE_NATIVE'] = 'off';
  const { tensorflow, openblas } = await installNative({ onProgress: reporter.report });
  if (!tensorflow.ready) {
    reporter.say(
      `The lab computes with WebAssembly, about twenty times slower. ${tensorflow.reason} ${tensorflow.nextStep}`,
    );
  } else if (!openblas.ready) {
    reporter.say(`Decompositions run without OpenBLAS, slower. ${openblas.reason} ${openblas.nextStep}`);
  }
  await withCloneLock(reporter.report, async () => {
    for (const mode of builds) await ensureBuild(mode, reporter.report);
  });
  reporter.end();
  const node = engineNode();
  if (!node) throw new StepFailure('Node 24 is not installed.', 'Run "npm ci", then the command again.');
  return node;
}

/**
 * Runs a command's main function: a failed step is two sentences and exit code 1, never a stack trace.
 * @param {() => Promise<number>} main returns the exit code
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    console.error(`\n${error.reason} ${error.nextStep}`);
    process.exitCode = 1;
  }
}
