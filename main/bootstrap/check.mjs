/** `npm run check`: what CI runs. Format, lint, types, layers, dead code, then the tests (`--no-tests` leaves them out). */
import { join } from 'node:path';
import { repositoryFolder } from './folders.mjs';
import { engineNode, ensurePackages, withCloneLock } from './packages.mjs';
import { runMain } from './prepare.mjs';
import { runCommand, runInForeground } from './processes.mjs';
import { stepReporter } from './progress.mjs';

/** @type {Array<[title: string, script: string, ...args: string[]]>} */
const checks = [
  ['lint', 'eslint/bin/eslint.js', '.', '--max-warnings=0', '--no-warn-ignored'],
  ['types of the renderer', 'vue-tsc/bin/vue-tsc.js', '-p', 'renderer', '--noEmit'],
  ['types of the engine', 'typescript/bin/tsc', '-p', 'main'],
  ['types of the shell', 'typescript/bin/tsc', '-p', 'electron'],
  ['types of the tests', 'vue-tsc/bin/vue-tsc.js', '-p', 'tests', '--noEmit'],
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  [
    'layers',
    'dependency-cruiser/bin/dependency-cruiser.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    'main',
    'renderer',
    'electron',
  ],
  ['dead code', 'knip/bin/knip.js'],
];

await runMain(async () => {
  const args = process.argv.slice(2);
  const reporter = stepReporter(process.stdout);
  await withCloneLock(reporter.report, () => ensurePackages(reporter.report));
  reporter.end();
  const node = engineNode() ?? process.execPath;
  const waiting = [...checks];
  /** @type {string[]} */
  const failed = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [title, script, ...rest] = next;
      const startedAtMs = Date.now();
      const { code, said } = await runCommand(node, [join(repositoryFolder, 'node_modules', script), ...rest], {
        cwd: repositoryFolder,
      });
      const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)`);
      if (code !== 0) console.log(said.trimEnd());
      if (code !== 0) failed.push(title);
    }
  };
  await Promise.all([work(), work()]); // two at a time: each is one busy process
  if (failed.length > 0) console.log(`Failed: ${failed.join(', ')}`);
  if (args.includes('--no-tests')) return failed.length > 0 ? 1 : 0;
  const tests = await runInForeground(node, [join(repositoryFolder, 'main/bootstrap/test.mjs'), ...args], {
    cwd: repositoryFolder,
  });
  return failed.length > 0 ? 1 : tests;
});
