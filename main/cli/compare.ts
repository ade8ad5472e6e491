/** `rotascope compare`: spectra of a reference and one or several checkpoints. The same command resumes, or prints again. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { EngineClient } from '../api/engineClient.ts';
import { summariesCsv } from '../ml/spectral/comparisonTables.ts';
import { comparisonSettings, parseCount, parseLayers, parseMatrices, parseSeed, parseShare } from './compareOptions.ts';
import type { CompareOptions } from './compareOptions.ts';
import { comparisonText, writeCurves } from './compareOutput.ts';
import { endWith } from './failure.ts';
import { checkOneOutput, importOne, importPath, runJob } from './followJob.ts';
import { dataOption } from './serve.ts';

async function print(client: EngineClient, id: string, options: CompareOptions): Promise<void> {
  const result = await client.call('spectra.get', { id });
  const { csv, json, curves } = options;
  if (curves !== undefined) await writeCurves(client, result, curves);
  const table = csv === undefined ? '' : summariesCsv(result.reference, result.targets, result.rows);
  if (csv !== undefined && csv !== '-') await writeFile(resolve(csv), table);
  if (json) console.log(JSON.stringify({ type: 'comparison', version: 1, ...result }));
  else if (csv === '-') process.stdout.write(table);
  else for (const line of comparisonText(result)) console.log(line);
}

async function compare(referencePath: string, targetPaths: string[], options: CompareOptions): Promise<number> {
  const settings = comparisonSettings(options);
  checkOneOutput(options);
  return runJob(options, 'matrices', async (client) => {
    const referenceId = await importOne(client, referencePath);
    const targetIds: string[] = [];
    for (const path of targetPaths) targetIds.push(...(await importPath(client, path)));
    const restorationId = options.restoration === undefined ? null : await importOne(client, options.restoration);
    const { id } = await client.call('spectra.start', { referenceId, targetIds, restorationId, settings });
    return { id, print: () => print(client, id, options) };
  });
}

const help = `
The checkpoints (Hugging Face folders, safetensors files) are imported where they lie. A folder of a run counts as all its
checkpoints, by step: several targets are a trajectory. The same comparison is found again: an unfinished one goes on, a
finished one is printed at once.

The table has means over the layers: size of the change, share of the entries that changed, mean |delta sigma| over that of a
random change of the same size, mean principal angles of the leading singular vectors beside those of random subspaces,
share of the change that moves singular values over its null, and matrices where pairing vectors by index is unstable.

With --json every line is an event of the job ({"jobId", "seq", "timeMs", "type", ...}); the last one is
{"type":"comparison","version":1, ...} as spectralResultSchema in main/contract/spectral.ts.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 stopped by someone else, 130 paused with Ctrl+C (resumable).`;

export function compareCommand(): Command {
  return new Command('compare')
    .description('compare the spectra of checkpoints: singular values, principal angles, each beside its null')
    .argument('<reference>', 'the checkpoint to go back to')
    .argument('<target...>', 'fine-tuned checkpoints')
    .addOption(dataOption())
    .option('--restoration <path>', 'a third checkpoint: does the change go towards it?')
    .option('--matrices <list>', 'of q,k,v,gate,up,down,o (all but o unless given)', parseMatrices)
    .option('--layers <list>', 'e.g. 0,5-7 (all unless given)', parseLayers)
    .option('--rank <number>', 'leading singular vectors whose spans are compared', parseCount)
    .option('--rank-share <share>', 'the same as a share of min(m, n); 0.5 unless given', parseShare)
    .option('--float64', 'decompose in float64', false)
    .option('--seed <number>', 'of the null models (0 unless given)', parseSeed)
    .option('--csv <file>', 'one row a matrix; - prints it instead of the table')
    .option('--curves <folder>', 'one CSV of curves a matrix')
    .option('--json', 'print events and the result as JSON lines', false)
    .addHelpText('after', help)
    .action((reference: string, targets: string[], options: CompareOptions) =>
      endWith(options.json, () => compare(reference, targets, options)),
    );
}
