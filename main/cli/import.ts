/** `rotascope import`: checkpoints into the catalogue, one line a file. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { ImportVerdict } from '../contract/api.ts';
import { attachEngine } from './attach.ts';
import { exitCodes } from './exitCodes.ts';
import { endWith } from './failure.ts';
import { dataOption } from './serve.ts';

/** As many as a call takes. */
const pathsPerCall = 200;

function printVerdict(verdict: ImportVerdict, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(verdict));
    return;
  }
  console.log(`${verdict.verdict} ${verdict.path}: ${verdict.text}`);
  for (const warning of verdict.warnings) console.log(`  warning: ${warning}`);
}

async function importPaths(paths: string[], data: string, json: boolean): Promise<number> {
  const absolute = paths.map((path) => resolve(path));
  const attached = await attachEngine(data);
  try {
    const verdicts: ImportVerdict[] = [];
    for (let from = 0; from < absolute.length; from += pathsPerCall) {
      const some = absolute.slice(from, from + pathsPerCall);
      verdicts.push(...(await attached.client.call('checkpoints.import', { paths: some })));
    }
    for (const verdict of verdicts) printVerdict(verdict, json);
    return verdicts.every(({ verdict }) => verdict === 'accepted') ? exitCodes.ok : exitCodes.partly;
  } finally {
    await attached.close();
  }
}

const help = `
The files stay where they are; the catalogue points at them. One shard brings in its whole checkpoint.
With --json each line is {"path", "verdict", "code", "text", "warnings", "summary", "checkpointId"}.

Exit codes: 0 all accepted, 1 failed, 2 wrong usage, 3 some were rejected (the others are imported).`;

export function importCommand(): Command {
  return new Command('import')
    .description('add checkpoints (Hugging Face folders, safetensors files) to the catalogue')
    .argument('<path...>', 'folders or files')
    .addOption(dataOption())
    .option('--json', 'print verdicts as JSON lines', false)
    .addHelpText('after', help)
    .action((paths: string[], options: { data: string; json: boolean }) =>
      endWith(options.json, () => importPaths(paths, options.data, options.json)),
    );
}
