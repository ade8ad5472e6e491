/** `rotascope hidden-states` as a user types it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { CallAnswer } from '../../main/contract/api.ts';
import { cliEntry, temporaryFolder } from './engineProcess.ts';

const sample = fileURLToPath(new URL('../../resources/sample-study/checkpoints/', import.meta.url));

function run(args: string[]): Promise<{ code: number | null; lines: string[]; errors: string }> {
  const child = spawn(process.execPath, [cliEntry, 'hidden-states', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code, lines: output.trimEnd().split(/\r?\n/), errors })),
  );
}

test('hidden-states: a table, then CSV and JSON of the same job; one checkpoint is too few', async () => {
  const data = ['--data', await temporaryFolder(), '--prompts', '30'];
  const paths = ['base', 'end'].map((name) => join(sample, `seed-0-${name}`));
  const text = await run([...paths, ...data]);
  expect(text.code, text.errors).toBe(0);
  expect(text.lines[0]).toMatch(/^30 ID and 30 OOD prompts; two components hold \d+\.\d % and /);
  expect(text.lines.at(-1)).toMatch(/^seed-0-base +seed-0-end +OOD +\d+\.\d+ \[\d/);

  const json = await run([...paths, ...data, '--json']);
  const last = JSON.parse(json.lines.at(-1)!) as CallAnswer<'hiddenStates.get'>;
  expect(last).toMatchObject({ type: 'hiddenStates', version: 1, state: 'succeeded' });
  const csv = await run([...paths, ...data, '--csv', '-']);
  expect(csv.lines[0]).toBe('a,b,split,distance,low,high,observed');
  const { distance, low } = last.result!.pairs[0]!.ood;
  expect(csv.lines.at(-1)).toContain(`seed-0-base,seed-0-end,OOD,${distance},${low}`);

  const one = await run([paths[0]!, ...data]);
  expect(one.code).toBe(2);
  expect(one.errors).toContain('a distance needs two');
});
