/** `rotascope move-data`: the data folder at another place, which every later start follows. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { attachEngine } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { runJob, type CommandOptions } from './followJob.ts';
import { dataOption } from './serve.ts';

async function moveData(given: string, options: CommandOptions): Promise<number> {
  const folder = resolve(given);
  const say = (value: object, text: string): void => console.log(options.json ? JSON.stringify(value) : text);
  const code = await runJob(options, 'bytes', async (client) => {
    const plan = await client.call('move.look', { folder });
    const megabytes = (plan.size.bytes / 1e6).toFixed(1);
    const how = plan.sameDisk ? 'renamed' : 'copied, compared, then removed from the old place';
    say(
      { type: 'plan', ...plan },
      `${plan.from} goes to ${plan.to}: ${plan.size.files} files, ${megabytes} MB, ${how}`,
    );
    const { jobId } = await client.call('move.start', { folder });
    return jobId === null ? null : { id: jobId, print: () => Promise.resolve() };
  });
  if (code !== exitCodes.ok) return code;
  // An engine's start carries it out; one that runs does so at its next start.
  const attached = await attachEngine(options.data);
  try {
    const waits = (await attached.client.call('data.prepared', {})).move !== null;
    const { dataFolder, notices } = await attached.client.call('app.state', {});
    const moved = dataFolder !== resolve(options.data);
    const outcome = moved ? `The data are in ${dataFolder}; every later start finds them there.` : notices.at(-1)?.text;
    const text = waits ? 'The lab is running: the data move when it starts again (Settings offers it).' : outcome;
    say({ type: 'moved', waits, dataFolder, text }, text ?? '');
    return waits || moved ? exitCodes.ok : exitCodes.failed;
  } finally {
    await attached.close();
  }
}

const help = `
FOLDER must be new or empty. On the same disk the data are renamed; to another disk they are copied and compared before the old ones
are removed. Cut off anywhere, the next start goes on. Later starts, also with the old --data, find the new place by themselves.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 cancelled by someone else, 130 stopped with Ctrl+C.`;

export function moveDataCommand(): Command {
  return new Command('move-data')
    .description('move the data to another folder')
    .argument('<folder>', 'where they go')
    .addOption(dataOption())
    .option('--json', 'print events and the outcome as JSON lines', false)
    .addHelpText('after', help)
    .action((folder: string, options: CommandOptions) => endWith(options.json, () => moveData(folder, options)));
}
