/** `npm run package`: builds the pages and the shell, then installers for this system into out/package/dist. */
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { electronVersion, findElectron } from '../../main/bootstrap/electronBinary.mjs';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { prepare, runMain } from '../../main/bootstrap/prepare.mjs';
import { stepReporter } from '../../main/bootstrap/progress.mjs';
import { packageApp } from './packageApp.ts';

const usage = `Usage: npm run package -- [options]

Makes installers for this system (AppImage and deb, dmg, or nsis) with the engine and its Node.

  --unpacked            only the unpacked app
  --electron-dist DIR   an unpacked Electron ${electronVersion()} to use instead of a download
  --help                this text`;

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
  await prepare(stepReporter(process.stdout), { builds: ['production'], native: false });
  const installed = findElectron();
  const packaged = await packageApp({
    ...{ out: join(repositoryFolder, 'out'), moduleType: 'module', folder: join(repositoryFolder, 'out', 'package') },
    electronVersion: electronVersion(),
    electronDist: values['electron-dist'] ?? (installed ? dirname(installed) : undefined),
    unpacked: values.unpacked,
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
