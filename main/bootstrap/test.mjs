/** `npm test`: the same preparation as `npm start`, then every suite, and one closing line with the counts. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFolder } from './folders.mjs';
import { prepare, runMain } from './prepare.mjs';
import { runInForeground } from './processes.mjs';
import { stepReporter } from './progress.mjs';
import { ensureTestParts, findSshServer, testEnvironment } from './testParts.mjs';

const currentElectronSuite = 'tests/e2e/electronCurrent.test.ts';

const usage = `Usage: npm test -- [options] [Vitest's options, such as --project unit, or parts of file names]

  --no-install-system   install no system packages and no browser; suites that need them are skipped
  --require-all         fail when anything was skipped
  --no-native           do not install or use TensorFlow and OpenBLAS
  --help                this text`;

await runMain(async () => {
  const args = process.argv.slice(2);
  const takeFlag = (/** @type {string} */ name) => {
    const index = args.indexOf(name);
    if (index >= 0) args.splice(index, 1);
    return index >= 0;
  };
  if (takeFlag('--help') || takeFlag('-h')) {
    console.log(usage);
    return 0;
  }
  const requireAll = takeFlag('--require-all');
  const installSystem = !takeFlag('--no-install-system');
  const native = !takeFlag('--no-native');

  const reporter = stepReporter(process.stdout);
  const node = await prepare(reporter, { builds: ['production', 'old'], native });
  const parts = await ensureTestParts({ installSystem, say: reporter.say, onProgress: reporter.report });
  reporter.end();
  // A current Electron is a download that many machines cannot reach: the old one stands in, and this is said.
  if (!parts.electron) args.push(`--exclude=${currentElectronSuite}`);

  const folder = mkdtempSync(join(tmpdir(), 'rotascope-tests-'));
  try {
    const reportPath = join(folder, 'report.json');
    const vitest = join(repositoryFolder, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
    const code = await runInForeground(node, [vitest, 'run', ...reporters, ...args], {
      cwd: repositoryFolder,
      env: { ...process.env, ...testEnvironment(parts), ...(requireAll ? { ROTASCOPE_REQUIRE_E2E: '1' } : {}) },
    });
    const counts = readCounts(reportPath);
    if (!parts.electron) {
      console.log(
        `NOT RUN. ${currentElectronSuite}: the current Electron is not here; npx install-electron downloads it.`,
      );
    }
    if (findSshServer() === '')
      console.log(
        'NOT RUN. tests/integration/sshEngine.test.ts, over a real server: no sshd here; ROTASCOPE_SSHD=PATH names one.',
      );
    for (const skip of parts.skips) console.log(`SKIPPED. ${skip}`);
    for (const name of counts.skippedNames) console.log(`SKIPPED. ${name}`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    const skippedAny = counts.skipped > 0 || parts.skips.length > 0;
    return code === 0 && counts.failed === 0 && !(requireAll && skippedAny) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * @typedef {{ name: string, status: string, assertionResults: Array<{ fullName: string, status: string }> }} FileResult
 * @param {string} path of Vitest's JSON report; without one the run itself is the failure
 */
function readCounts(path) {
  /** @type {FileResult[]} */
  let files;
  try {
    files = JSON.parse(readFileSync(path, 'utf8')).testResults;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, skippedNames: [] };
  }
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
  const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.status));
  // A file that fails before its first test (an import, a hook) counts as one failure.
  const brokenFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: tests.filter((test) => test.status === 'failed').length + brokenFiles.length,
    skipped: skipped.length,
    skippedNames: skipped.map((test) => `${test.file.slice(repositoryFolder.length + 1)}: ${test.fullName}`),
  };
}
