/** `rotascope ablate`: reversions of one checkpoint towards another, beside their controls, or mixtures of checkpoints. */
import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { EngineClient } from '../api/engineClient.ts';
import type { CallInput } from '../contract/api.ts';
import type { SweepAxis } from '../contract/sweeps.ts';
import {
  parseAlphas,
  parseAxes,
  parseControls,
  parseLayerChoice,
  parseRankChoice,
  parseReverts,
  sweepSettings,
} from './ablateOptions.ts';
import type { AblateOptions } from './ablateOptions.ts';
import { planText, sweepCsv, sweepText } from './ablateOutput.ts';
import { parseCount, parseMatrices, parseSeed } from './compareOptions.ts';
import { endWith } from './failure.ts';
import { checkOneOutput, importOne, runJob } from './followJob.ts';
import { dataOption } from './serve.ts';

/** As `reversionSweepSchema` has them. */
const defaultAxes: SweepAxis[] = ['layers', 'ranks'];

type Order = CallInput<'sweeps.start'>;

async function makeOrder(client: EngineClient, options: AblateOptions): Promise<Order> {
  const settings = sweepSettings(options);
  const targetId = await importOne(client, options.target);
  const referenceId = await importOne(client, options.reference);
  const pairs: Order['pairs'] = [{ targetId, referenceId }];
  if (options.then !== undefined)
    pairs.push({ targetId: referenceId, referenceId: await importOne(client, options.then) });
  const name = options.name ?? `${basename(resolve(options.target))} to ${basename(resolve(options.reference))}`;
  return { name: name.slice(0, 120), pairs, settings };
}

async function print(client: EngineClient, id: string, { csv, json }: AblateOptions): Promise<void> {
  const result = await client.call('sweeps.get', { id });
  if (csv !== undefined && csv !== '-') await writeFile(resolve(csv), sweepCsv(result));
  if (json) console.log(JSON.stringify({ type: 'sweep', version: 1, ...result }));
  else if (csv === '-') process.stdout.write(sweepCsv(result));
  else {
    for (const line of sweepText(result)) console.log(line);
    console.log(`Any point as a checkpoint: rotascope export-point ${id} POINT FOLDER`);
  }
}

async function ablate(options: AblateOptions): Promise<number> {
  checkOneOutput(options);
  return runJob(options, 'points', async (client) => {
    const order = await makeOrder(client, options);
    const plan = await client.call('sweeps.plan', order);
    if (options.json) console.log(JSON.stringify({ type: 'plan', ...plan }));
    else
      for (const line of planText(plan, options.interpolate ? [] : (options.axis ?? defaultAxes))) console.error(line);
    if (options.plan) return null;
    const { id } = await client.call('sweeps.start', order);
    return { id, print: () => print(client, id, options) };
  });
}

const help = `
The target is the fine-tuned checkpoint, the reference the one to go back to; both are imported where they lie. The same sweep
is found again: an unfinished one goes on, a finished one is printed at once. A sweep with another option computes only the
points that the option changes.

Layers: "first:5,10" (the first 5, the first 10), "last:5", "each" (alone), "set:0,3-5" (these together). Ranks: "top:64,256",
"bottom:512", "band:64,256" (0 to 63, 64 to 255). Without numbers: the paper's counts, scaled to the model.
Controls: "scrambled=3,rotation=1,noise=1" whole edited models for each point, or "none".

Accuracies carry 95 % Wilson intervals over the episodes. With --json every line is the plan or an event of the job; the last
one is {"type":"sweep","version":1, ...} as sweepResultSchema in main/contract/sweeps.ts.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 stopped by someone else, 130 paused with Ctrl+C (resumable).`;

export function ablateCommand(): Command {
  return new Command('ablate')
    .description('revert singular values and vectors by layers and ranks, beside controls, and evaluate every point')
    .requiredOption('--target <path>', 'the fine-tuned checkpoint')
    .requiredOption('--reference <path>', 'the checkpoint to go back to')
    .addOption(dataOption())
    .option('--name <text>', 'name of the sweep')
    .option('--revert <list>', 'of values, vectors, both (values,vectors unless given)', parseReverts)
    .option('--matrices <list>', 'of q,k,v,gate,up,down,o (all but o unless given)', parseMatrices)
    .option('--axis <list>', 'of whole, layers, ranks, grid (layers,ranks unless given)', parseAxes)
    .option('--layers <choice>', 'e.g. first:5,10', parseLayerChoice)
    .option('--ranks <choice>', 'e.g. top:64,256', parseRankChoice)
    .option('--controls <list>', 'e.g. scrambled=3, which is what is run unless given', parseControls)
    .option('--no-dose', 'leave out each edit scaled to the size of the other')
    .option('--no-ceiling', 'leave out the same matrices copied whole')
    .option('--paper-compatible', 'vectors at full rank copy the reference, as the published scripts do', false)
    .addOption(
      new Option('--pairing <kind>', 'how vectors are matched').choices(['index', 'procrustes']).default('index'),
    )
    .option('--interpolate <alphas>', 'mix whole checkpoints instead, e.g. 0.25,0.5,0.75', parseAlphas)
    .option('--then <path>', 'with --interpolate: go on from the reference to this one')
    .option('--float64', 'decompose in float64', false)
    .option('--seed <number>', 'of the controls (0 unless given)', parseSeed)
    .option('--episodes <number>', 'episodes a split (600 unless given)', parseCount)
    .option('--plan', 'say what it would do, and stop', false)
    .option('--csv <file>', 'one row a point; - prints it instead of the table')
    .option('--json', 'print the plan, events and the result as JSON lines', false)
    .addHelpText('after', help)
    .action((options: AblateOptions) => endWith(options.json, () => ablate(options)));
}
