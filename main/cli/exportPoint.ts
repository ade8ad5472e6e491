/** `rotascope export-point`: a point of a sweep as a Hugging Face folder. */
import { Command } from 'commander';
import type { EngineClient } from '../api/engineClient.ts';
import { AppError } from '../contract/errors.ts';
import { exportReportSchema } from '../contract/sweeps.ts';
import type { ExportReport } from '../contract/sweeps.ts';
import { enginePath } from './attach.ts';
import { endWith } from './failure.ts';
import { runJob } from './followJob.ts';
import type { CommandOptions } from './followJob.ts';
import { dataOption } from './serve.ts';

interface ExportPointOptions extends CommandOptions {
  f32: boolean;
}

/** The key of a point from its first characters. */
async function keyOf(client: EngineClient, id: string, prefix: string): Promise<string> {
  const { points } = await client.call('sweeps.get', { id });
  const found = points.filter(({ key }) => key.startsWith(prefix));
  if (found.length === 1) return found[0]!.key;
  throw new AppError('INVALID_REQUEST', `${found.length} points of this sweep begin with "${prefix}".`, {
    hint: 'The first column of `rotascope ablate` names them.',
  });
}

/** What the job has left; it says so in an event, so that nothing else has to be asked. */
async function reportOf(client: EngineClient, jobId: string): Promise<ExportReport> {
  const { lastSeq } = await client.call('jobs.get', { id: jobId });
  const events = await client.call('jobs.events', { id: jobId, afterSeq: Math.max(0, lastSeq - 5) });
  const artifact = events.find((event) => event.type === 'artifact');
  return exportReportSchema.parse(artifact && 'data' in artifact ? artifact.data : null);
}

function printReport(report: ExportReport, json: boolean): void {
  if (json) console.log(JSON.stringify({ type: 'export', ...report }));
  else console.log(`${report.folder}: ${report.files} files, ${(report.bytes / 1e6).toFixed(1)} MB`);
  for (const warning of report.warnings) console.error(`warning: ${warning}`);
}

function exportPoint(id: string, prefix: string, folder: string, options: ExportPointOptions): Promise<number> {
  return runJob(options, 'bytes', async (client) => {
    const key = await keyOf(client, id, prefix);
    const dtype = options.f32 ? 'F32' : 'same';
    const { jobId } = await client.call('sweeps.exportPoint', { id, key, folder: enginePath(folder), dtype });
    return { id: jobId, print: async () => printReport(await reportOf(client, jobId), options.json) };
  });
}

const help = `
Same files, types and shards as the target; tensors that the edit leaves alone are the same bytes. README.md holds the recipe and
how much of each edit rounding took back. --f32 keeps the edit whole where the stored type is too coarse.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 stopped by someone else, 130 paused with Ctrl+C (resumable).`;

export function exportPointCommand(): Command {
  return new Command('export-point')
    .description('write one point of a sweep as a checkpoint that transformers loads')
    .argument('<sweep>', 'id of the sweep')
    .argument('<point>', 'its key, or the first characters of it')
    .argument('<folder>', 'folder to write, on the machine of the engine; new or empty')
    .addOption(dataOption())
    .option('--f32', 'every tensor as F32', false)
    .option('--json', 'print events and the report as JSON lines', false)
    .addHelpText('after', help)
    .action((sweep: string, point: string, folder: string, options: ExportPointOptions) =>
      endWith(options.json, () => exportPoint(sweep, point, folder, options)),
    );
}
