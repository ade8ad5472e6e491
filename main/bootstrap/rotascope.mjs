#!/usr/bin/env node
/** `npx rotascope`: the command line of this clone on Node 24. Installs the packages first when they are missing. */
import { join } from 'node:path';
import { repositoryFolder } from './folders.mjs';
import { checkNode, engineNode, ensurePackages, withCloneLock } from './packages.mjs';
import { runMain } from './prepare.mjs';
import { runInForeground } from './processes.mjs';
import { stepReporter } from './progress.mjs';

await runMain(async () => {
  checkNode();
  // Progress goes to the error stream: the output may be JSON that another program reads.
  const reporter = stepReporter(process.stderr);
  await withCloneLock(reporter.report, () => ensurePackages(reporter.report));
  reporter.end();
  const cli = join(repositoryFolder, 'main/cli.ts');
  return runInForeground(engineNode() ?? process.execPath, [cli, ...process.argv.slice(2)], {
    env: { ROTASCOPE_RENDERER: join(repositoryFolder, 'out/renderer'), ...process.env },
  });
});
