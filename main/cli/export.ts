/** `rotascope export`: a finished study as a folder, to be opened elsewhere. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { lockDataFolder } from '../api/engineFile.ts';
import { exportStudy } from '../api/studyExchange/exportStudy.ts';
import { openStore } from '../store/store.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { dataOption } from './serve.ts';

async function exportTo(studyId: string, folder: string, data: string): Promise<number> {
  const dataFolder = resolve(data);
  const lock = lockDataFolder(dataFolder);
  try {
    const store = await openStore(join(dataFolder, 'rotascope.sqlite'));
    await exportStudy(store, studyId, join(dataFolder, 'studies', studyId), resolve(folder));
    store.close();
  } finally {
    lock.release();
  }
  return exitCodes.ok;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write a finished study as a folder (no engine may run on the data folder)')
    .argument('<study>', 'id of the study')
    .argument('<folder>', 'folder to write; it must not exist')
    .addOption(dataOption())
    .action((study: string, folder: string, options: { data: string }) =>
      endWith(false, () => exportTo(study, folder, options.data)),
    );
}
