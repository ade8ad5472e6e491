/** `rotascope restore`: a backup in the place of the data, which are kept. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { attachEngine } from './attach.ts';
import { describeBackup } from './backup.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { runJob, type CommandOptions } from './followJob.ts';
import { dataOption } from './serve.ts';

async function restore(file: string, options: CommandOptions): Promise<number> {
  const path = resolve(file);
  const say = (value: object, text: string): void => console.log(options.json ? JSON.stringify(value) : text);
  const code = await runJob(options, 'bytes', async (client) => {
    const contents = await client.call('backup.look', { path });
    say({ type: 'backup', ...contents }, describeBackup(contents));
    const { jobId } = await client.call('restore.start', { path });
    return { id: jobId, print: () => Promise.resolve() };
  });
  if (code !== exitCodes.ok) return code;
  // An engine's start puts it in place; one that runs does so at its next start.
  const attached = await attachEngine(options.data);
  try {
    const waits = (await attached.client.call('data.prepared', {})).restore !== null;
    const { notices } = await attached.client.call('app.state', {});
    const text = waits
      ? 'The lab is running: it puts the backup in place when it starts again (Settings offers it).'
      : (notices.at(-1)?.text ?? '');
    say({ type: 'restored', waits, text }, text);
  } finally {
    await attached.close();
  }
  return exitCodes.ok;
}

const help = `
The file is checked, unpacked beside the data and compared with its SHA-256 sums; then it takes the place of the data, which are
kept in the folder "replaced" of the data folder until you delete them.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 cancelled by someone else, 130 stopped with Ctrl+C.`;

export function restoreCommand(): Command {
  return new Command('restore')
    .description('put a backup in the place of the data')
    .argument('<file>', 'a file that `rotascope backup` wrote')
    .addOption(dataOption())
    .option('--json', 'print events and the outcome as JSON lines', false)
    .addHelpText('after', help)
    .action((file: string, options: CommandOptions) => endWith(options.json, () => restore(file, options)));
}
