/** `rotascope hidden-states`: the last prompt token at several checkpoints, in one basis, and the distances of its centroids. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { EngineClient } from '../api/engineClient.ts';
import type { CallAnswer } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { CentroidDistance } from '../contract/hiddenStates.ts';
import { miniatureTasks, textTaskNames, type TaskName } from '../contract/settings.ts';
import { csvLine } from '../ml/spectral/comparisonTables.ts';
import { parseCount, parseSeed } from './compareOptions.ts';
import { endWith } from './failure.ts';
import { checkOneOutput, importPath, runJob } from './followJob.ts';
import { dataOption } from './serve.ts';

interface HiddenStatesOptions {
  data: string;
  task: TaskName;
  prompts?: number;
  seed?: number;
  csv?: string;
  json: boolean;
}
type Answer = CallAnswer<'hiddenStates.get'>;

/** One row a distance: within a checkpoint between its splits, or between two checkpoints on the prompts of a split. */
function distances({ checkpoints, result }: Answer): [string, string, string, CentroidDistance][] {
  if (result === null) return [];
  const label = (place: number): string => checkpoints[place]!.label;
  return [
    ...result.checkpoints.map(({ betweenSplits }, i): [string, string, string, CentroidDistance] => {
      return [`${label(i)}, ID`, `${label(i)}, OOD`, 'between', betweenSplits];
    }),
    ...result.pairs.flatMap(({ a, b, inDist, ood }): [string, string, string, CentroidDistance][] => [
      [label(a), label(b), 'ID', inDist],
      [label(a), label(b), 'OOD', ood],
    ]),
  ];
}

const columns = ['distance', 'low', 'high', 'observed'] as const;

function csvOf(answer: Answer): string {
  const rows = distances(answer).map(([a, b, split, distance]) =>
    csvLine([a, b, split, ...columns.map((name) => distance[name])]),
  );
  return [csvLine(['a', 'b', 'split', ...columns]), ...rows].join('');
}

function textOf(answer: Answer): string[] {
  const { explained, prompts } = answer.result!;
  const share = (values: readonly number[]): string => values.map((x) => `${(100 * x).toFixed(1)} %`).join(' and ');
  const rows = distances(answer).map(([a, b, split, { distance, low, high }]) => [
    a,
    b,
    split,
    `${distance.toPrecision(4)} [${low.toPrecision(4)}, ${high.toPrecision(4)}]`,
  ]);
  const cells = [['from', 'to', 'prompts', 'distance [95 %]'], ...rows];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return [
    `${prompts} ID and ${prompts} OOD prompts; two components hold ${share(explained.inDist)} (ID), ${share(explained.ood)} (OOD) of the variance`,
    ...cells.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
  ];
}

async function print(client: EngineClient, id: string, { csv, json }: HiddenStatesOptions): Promise<void> {
  const answer = await client.call('hiddenStates.get', { id });
  if (csv !== undefined && csv !== '-') await writeFile(resolve(csv), csvOf(answer));
  if (json) console.log(JSON.stringify({ type: 'hiddenStates', version: 1, ...answer }));
  else if (csv === '-') process.stdout.write(csvOf(answer));
  else for (const line of textOf(answer)) console.log(line);
}

async function hiddenStates(paths: string[], options: HiddenStatesOptions): Promise<number> {
  checkOneOutput(options);
  const { task, prompts, seed } = options;
  return runJob(options, 'checkpoints', async (client) => {
    const ids: string[] = [];
    for (const path of paths) ids.push(...(await importPath(client, path)));
    if (ids.length < 2)
      throw new AppError('INVALID_REQUEST', 'There is one checkpoint; a distance needs two.', {
        hint: 'Name a second one, or the folder of a run with several.',
      });
    const { id } = await client.call('hiddenStates.start', {
      checkpoints: ids.map((one) => ({ id: one })),
      settings: { task: { name: task }, prompts, seed },
    });
    return { id, print: () => print(client, id, options) };
  });
}

const help = `
The state is that of each prompt's last token after the final norm, on the first held-out prompts of the task. Each split has
one basis of two principal components on the pooled states of all checkpoints. Distances are those of the centroids in the
full space, without what a mean of so many prompts is off by; intervals are bootstrapped over prompts, the same prompts at
every checkpoint.

With --json every line is an event of the job; the last one is {"type":"hiddenStates","version":1, ...} with every prompt's
place in the basis, as in main/contract/hiddenStates.ts.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 4 stopped by someone else, 130 paused with Ctrl+C (resumable).`;

export function hiddenStatesCommand(): Command {
  return new Command('hidden-states')
    .description('compare hidden states of the last prompt token: centroids of ID and OOD prompts, with intervals')
    .argument('<checkpoint...>', 'checkpoints of one architecture; a folder of a run counts as all its checkpoints')
    .addOption(dataOption())
    .addOption(
      new Option('--task <name>', 'whose prompts')
        .choices([...miniatureTasks, ...textTaskNames])
        .default(miniatureTasks[0]),
    )
    .option('--prompts <number>', 'of each split (300 unless given)', parseCount)
    .option('--seed <number>', 'of the bootstrap (0 unless given)', parseSeed)
    .option('--csv <file>', 'one row a distance; - prints it instead of the table')
    .option('--json', 'print events and the result as JSON lines', false)
    .addHelpText('after', help)
    .action((paths: string[], options: HiddenStatesOptions) =>
      endWith(options.json, () => hiddenStates(paths, options)),
    );
}
