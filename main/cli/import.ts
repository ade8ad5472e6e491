/** `rotascope import`: checkpoints into the catalogue, one line a file. */
import { Command } from 'commander';
import type { ImportVerdict, Job } from '../contract/api.ts';
import { type Attached, attachEngine, enginePath, pathHint } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { HoldUp } from './holdUp.ts';
import { dataOption } from './serve.ts';

/** As many as a call takes. */
const pathsPerCall = 200;
const lookEveryMs = 300;
const shownJobs = 2000;

interface ImportOptions {
  data: string;
  json: boolean;
  copy: boolean;
  wait: boolean;
}

function printVerdict(verdict: ImportVerdict, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(verdict));
    return;
  }
  console.log(`${verdict.verdict} ${verdict.path}: ${verdict.text}`);
  for (const warning of verdict.warnings) console.log(`  warning: ${warning}`);
}

const isOfImport = ({ kind }: Job): boolean => kind === 'hashCheckpoints' || kind === 'copyCheckpoint';
const isActive = ({ state }: Job): boolean => state === 'queued' || state === 'running';

/** Until nothing is copied or hashed any more; what is under way goes to standard error. @returns jobs that failed since */
async function waitForJobs({ client, address }: Attached, sinceMs: number): Promise<Job[]> {
  const holdUp = new HoldUp(client, address);
  let said = '';
  for (;;) {
    const jobs = (await client.call('jobs.list', { limit: shownJobs })).filter(isOfImport);
    const active = jobs.filter(isActive);
    if (active.length === 0)
      return jobs.filter(({ state, createdAtMs }) => state === 'failed' && createdAtMs >= sinceMs);
    const running = active.find(({ state, progress }) => state === 'running' && progress !== null)?.progress;
    const text = running ? `${running.text}, ${Math.floor((100 * running.done) / (running.total || 1))} %` : '';
    if (text !== said && process.stderr.isTTY) console.error(text);
    said = text;
    const heldUp = await holdUp.look(active.map(({ state }) => state));
    if (heldUp !== '') console.error(heldUp);
    await new Promise((wake) => setTimeout(wake, lookEveryMs));
  }
}

async function importPaths(paths: string[], { data, json, copy, wait }: ImportOptions): Promise<number> {
  const absolute = paths.map(enginePath);
  const attached = await attachEngine(data);
  const startedAtMs = Date.now();
  try {
    const verdicts: ImportVerdict[] = [];
    for (let from = 0; from < absolute.length; from += pathsPerCall) {
      const some = absolute.slice(from, from + pathsPerCall);
      verdicts.push(...(await attached.client.call('checkpoints.import', { paths: some, copy })));
    }
    for (const verdict of verdicts) printVerdict(verdict, json);
    const allAccepted = verdicts.every(({ verdict }) => verdict === 'accepted');
    if (!allAccepted && pathHint() !== '') console.error(pathHint());
    // Another engine goes on when this command has ended; this one's own would stop with it.
    const failed = attached.owned && wait ? await waitForJobs(attached, startedAtMs) : [];
    for (const { title, error } of failed)
      console.error(`${title}: ${error?.message ?? 'failed'} ${error?.hint ?? ''}`);
    if (failed.length > 0) return exitCodes.failed;
    return allAccepted ? exitCodes.ok : exitCodes.partly;
  } finally {
    await attached.close();
  }
}

const help = `
The files stay where they are and the catalogue points at them; with --copy they are copied into the data folder, where
equal files are stored once. One shard brings in its whole checkpoint. Weights are hashed in the background: by the engine
that runs on the data folder, else by this command before it ends (or, with --no-wait, by the next engine).
With --connect the paths are those of the engine's machine.
With --json each line is {"path", "verdict", "code", "text", "warnings", "summary", "checkpointId"}.

Exit codes: 0 all accepted, 1 failed, 2 wrong usage, 3 some were rejected (the others are imported).`;

export function importCommand(): Command {
  return new Command('import')
    .description('add checkpoints (Hugging Face folders, safetensors files) to the catalogue')
    .argument('<path...>', 'folders or files')
    .addOption(dataOption())
    .option('--copy', 'copy the files into the data folder', false)
    .option('--no-wait', 'end before the weights are copied and hashed')
    .option('--json', 'print verdicts as JSON lines', false)
    .addHelpText('after', help)
    .action((paths: string[], options: ImportOptions) => endWith(options.json, () => importPaths(paths, options)));
}
