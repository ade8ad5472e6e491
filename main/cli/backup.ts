/** `rotascope backup`: the data folder as one file. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { BackupContents } from '../contract/dataFolder.ts';
import { endWith } from './failure.ts';
import { runJob, type CommandOptions } from './followJob.ts';
import { dataOption } from './serve.ts';

interface BackupOptions extends CommandOptions {
  withCheckpoints: boolean;
}

const size = ({ bytes, files }: BackupContents['unpacked']): string => `${files} files, ${(bytes / 1e6).toFixed(1)} MB`;

/** What a backup says of itself, in lines. */
export function describeBackup({ path, bytes, madeAtMs, ...held }: BackupContents): string {
  const { rotascope, studies, runs, checkpoints, unpacked, leftOut } = held;
  const made = new Date(madeAtMs).toLocaleString('en-GB');
  return [
    `${path}: ${(bytes / 1e6).toFixed(1)} MB, made ${made} by Rotascope ${rotascope}`,
    `${studies} studies, ${runs} runs, ${checkpoints} checkpoints in the catalogue; ${size(unpacked)}`,
    ...(leftOut.files > 0 ? [`Without weights and caches: ${size(leftOut)} were left out`] : []),
  ].join('\n');
}

function backup(file: string, options: BackupOptions): Promise<number> {
  const path = resolve(file);
  return runJob(options, 'bytes', async (client) => {
    const { jobId } = await client.call('backup.start', { path, withHeavy: options.withCheckpoints });
    const print = async (): Promise<void> => {
      const contents = await client.call('backup.look', { path });
      console.log(options.json ? JSON.stringify({ type: 'backup', ...contents }) : describeBackup(contents));
    };
    return { id: jobId, print };
  });
}

const help = `
Database, notes, settings, answers, logs and curves; with --with-checkpoints also weights, states to resume from and caches.
Jobs may run meanwhile. FILE must not exist; it is FILE.partial until it is whole.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 cancelled by someone else, 130 stopped with Ctrl+C.`;

export function backupCommand(): Command {
  return new Command('backup')
    .description('write the data into one file')
    .argument('<file>', 'file to write, for example lab.zip')
    .option('--with-checkpoints', 'also weights, states to resume from and caches', false)
    .addOption(dataOption())
    .option('--json', 'print events and the contents as JSON lines', false)
    .addHelpText('after', help)
    .action((file: string, options: BackupOptions) => endWith(options.json, () => backup(file, options)));
}
