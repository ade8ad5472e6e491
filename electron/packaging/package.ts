/** `npm run package`: builds the pages and the shell, then installers for this system into out/package/dist. */
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { electronVersion, ensureElectron } from '../../main/bootstrap/electronBinary.mjs';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { ensurePackages, withCloneLock } from '../../main/bootstrap/packages.mjs';
import { runMain } from '../../main/bootstrap/prepare.mjs';
import { stepReporter } from '../../main/bootstrap/progress.mjs';
import { StepFailure } from '../../main/bootstrap/stepFailure.mjs';
import { ensureBuild } from '../../main/bootstrap/uiBuild.mjs';
import { packageApp } from './packageApp.ts';

const usage = `Usage: npm run package -- [options]

Makes installers for this system (AppImage and deb, dmg, or nsis) with the engine and its Node.

  --unpacked            only the unpacked app
  --electron-dist DIR   an unpacked Electron ${electronVersion()} to use instead of a download
  --help                this text`;

/** The folder that holds Electron whole; empty without one. */
const distOf = (executable: string): string => {
  if (executable === '') return '';
  return process.platform === 'darwin' ? resolve(executable, '../../../..') : dirname(executable);
};

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      unpacked: { type: 'boolean', default: false },
      'electron-dist': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const reporter = stepReporter(process.stdout);
  await withCloneLock(reporter.report, async () => {
    await ensurePackages(reporter.report);
    await ensureBuild('production', reporter.report);
  });
  const electronDist = values['electron-dist'] ?? distOf(await ensureElectron(reporter.report));
  reporter.end();
  if (!electronDist) {
    throw new StepFailure(
      `Electron ${electronVersion()} could not be downloaded.`,
      'Give an unpacked one: npm run package -- --electron-dist DIR.',
    );
  }
  const packaged = await packageApp({
    ...{ out: join(repositoryFolder, 'out'), moduleType: 'module', folder: join(repositoryFolder, 'out', 'package') },
    ...{ electronVersion: electronVersion(), electronDist, unpacked: values.unpacked },
  }).catch((error: unknown) => {
    throw new StepFailure(
      `The package was not made: ${(error as Error).message}.`,
      'Mend that, then run the command again.',
    );
  });
  for (const artifact of packaged.artifacts) console.log(artifact);
  if ('notRun' in packaged.fuses) {
    console.log(`NOT RUN. Fuses were not read back: ${packaged.fuses.notRun}`);
    return 0;
  }
  for (const fault of packaged.fuses.faults) console.error(`Fuse ${fault}.`);
  if (packaged.fuses.faults.length === 0) console.log('Fuses were read back and are as set.');
  return packaged.fuses.faults.length === 0 ? 0 : 1;
});
