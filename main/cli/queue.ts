/** `rotascope queue`: what runs and what waits; holds the queue and lets it go on where there is no window. */
import { Argument, Command } from 'commander';
import type { Job } from '../contract/api.ts';
import { attachEngine } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { dataOption } from './serve.ts';

const shownJobs = 2000;
const shownStates: readonly Job['state'][] = ['running', 'queued', 'paused'];

async function queue(what: string | undefined, data: string): Promise<number> {
  const attached = await attachEngine(data);
  try {
    const { client } = attached;
    if (what !== undefined) await client.call('jobs.pauseQueue', { paused: what === 'pause' });
    const { paused } = await client.call('jobs.queue', {});
    console.log(paused ? 'The queue is paused: nothing new starts.' : 'The queue is not paused.');
    const jobs = await client.call('jobs.list', { limit: shownJobs });
    for (const state of shownStates)
      for (const { title } of jobs.filter((job) => job.state === state).sort((a, b) => a.position - b.position))
        console.log(`${state.padEnd(11)} ${title}`);
    return exitCodes.ok;
  } finally {
    await attached.close();
  }
}

export function queueCommand(): Command {
  return new Command('queue')
    .description('what runs and what waits; "pause": nothing new starts until "resume"')
    .addArgument(new Argument('[what]', 'what to do').choices(['pause', 'resume']))
    .addOption(dataOption())
    .action((what: string | undefined, { data }: { data: string }) => endWith(false, () => queue(what, data)));
}
