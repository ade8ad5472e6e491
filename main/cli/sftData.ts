/** `rotascope sft-data`: the SFT data of a task as JSONL, or what is wrong with a file of it. Needs no engine. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { taskSettingsSchema, textTaskNames, type TextTaskName } from '../contract/settings.ts';
import { readSftFile, sftExamples, sftLine } from '../ml/tasks/sftData.ts';
import { textTaskOf } from '../ml/tasks/textTasks.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';

interface SftDataOptions {
  task: TextTaskName;
  split: 'inDist' | 'ood';
  examples: number;
  seed: number;
  target: number;
  answerStyle: 'published' | 'json';
  testShare: number;
  out?: string;
  check?: string;
}

async function check(path: string): Promise<number> {
  const { examples, errors, errorCount, ignoredLines } = await readSftFile(path);
  console.log(`${path}: ${examples.length} examples, ${errorCount} bad lines, ${ignoredLines} lines past the most.`);
  for (const { line, message } of errors) console.log(`  line ${line}: ${message}`);
  return errorCount === 0 && examples.length > 0 ? exitCodes.ok : exitCodes.partly;
}

async function write(options: SftDataOptions): Promise<number> {
  const { task: name, split, examples, seed, out, testShare, target, answerStyle } = options;
  const settings = taskSettingsSchema.parse({ name, testShare, text: { target, answerStyle } });
  const task = await textTaskOf(settings);
  function* lines(): Generator<string> {
    for (const example of sftExamples(task, split, examples, seed)) yield sftLine(example, { task: name, split });
  }
  try {
    await pipeline(Readable.from(lines()), out === undefined ? process.stdout : createWriteStream(out));
  } catch (error) {
    // Who reads the output has had enough of it.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
  if (out !== undefined) console.log(`${examples} examples of ${name} in ${out}`);
  return exitCodes.ok;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.');
  return value;
}

const help = `
A line is {"messages": [{"role", "content"}, ...], "task", "split"}; the last message is the assistant's answer. Held-out problems
are in no line. The same options give the same lines, and the lines that a study with this task and seed trains on.

Exit codes: 0 finished, 1 failed, 2 wrong usage, 3 some lines of the file that was checked are wrong.`;

export function sftDataCommand(): Command {
  return new Command('sft-data')
    .description('write the SFT data of a task in text, or check a file of it')
    .addOption(new Option('--task <name>', 'which task').choices(textTaskNames).default('generalPoints'))
    .addOption(new Option('--split <name>', 'under which rule').choices(['inDist', 'ood']).default('inDist'))
    .option('--examples <n>', 'how many', number, 4000)
    .option('--seed <n>', 'which ones', number, 0)
    .option('--target <n>', 'what GeneralPoints has to give', number, 24)
    .addOption(new Option('--answer-style <name>').choices(['published', 'json']).default('published'))
    .option('--test-share <x>', 'share of problems held out from training', number, 0.2)
    .option('--out <file>', 'where to write; standard output unless given')
    .option('--check <file>', 'read a file instead and name its wrong lines')
    .addHelpText('after', help)
    .action((options: SftDataOptions) =>
      endWith(false, () => (options.check === undefined ? write(options) : check(options.check))),
    );
}
