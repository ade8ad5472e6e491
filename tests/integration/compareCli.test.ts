/** `rotascope compare` as a user types it: tables, files, exit codes, Ctrl+C. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { spectralResultSchema } from '../../main/contract/spectral.ts';
import { cliEntry, temporaryFolder } from './engineProcess.ts';
import { writeTrajectory } from './trajectory.ts';

interface Ended {
  code: number | null;
  lines: string[];
  output: string;
  errors: string;
}

function compare(args: string[], onOutput: (output: string, interrupt: () => void) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, [cliEntry, 'compare', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    onOutput(output, () => child.kill('SIGINT'));
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ code, lines: output.trimEnd().split('\n'), output, errors })),
  );
}

/** Rows of a CSV without quoted cells, by column. */
function parseCsv(text: string): Record<string, string>[] {
  const [head, ...rows] = text.trimEnd().split('\r\n').map((line) => line.split(',')); // prettier-ignore
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [head![i]!, cell])));
}

test('compare: a table, then CSV, curves and JSON of the same comparison', { timeout: 90_000 }, async () => {
  const folder = await temporaryFolder();
  const { base, run } = await writeTrajectory(folder, [10, 20]);
  const args = [
    base,
    join(run, 'checkpoint-20'),
    '--data',
    join(folder, 'data'),
    '--layers',
    '0,2-3',
    '--matrices',
    'q,down',
  ];
  const text = await compare(args);
  expect(text.code, text.errors).toBe(0);
  expect(text.lines[0]).toMatch(/^base -> .*\(step 20\)$/);
  expect(text.lines.find((line) => line.startsWith('all'))).toMatch(/^all\s+6\s+2\.\d+ %/);

  const [csv, curves] = [join(folder, 'rows.csv'), join(folder, 'curves')];
  const files = await compare([...args, '--csv', csv, '--curves', curves, '--json']);
  expect(files.code, files.errors).toBe(0);
  const last = JSON.parse(files.lines.at(-1)!) as { type: string; version: number };
  expect(last).toMatchObject({ type: 'comparison', version: 1, state: 'succeeded' });
  const result = spectralResultSchema.parse(last);
  const events = files.lines.slice(0, -1).map((line) => JSON.parse(line) as { type: string; seq: number });
  expect(events.filter(({ type }) => type === 'matrix')).toHaveLength(6);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));

  const rows = parseCsv(readFileSync(csv, 'utf8'));
  expect(rows.map(({ layer, matrix }) => `${layer}${matrix}`)).toEqual(['0q', '0down', '2q', '2down', '3q', '3down']);
  for (const [i, row] of rows.entries()) {
    expect(Number(row['relativeChange'])).toBe(result.rows[0]![i]!.relativeChange);
    expect(row['restorationCosine']).toBe('');
    expect(row['step']).toBe('20');
  }
  const [target] = readdirSync(curves);
  expect(readdirSync(join(curves, target!))).toHaveLength(6);
  const curve = parseCsv(readFileSync(join(curves, target!, 'model.layers.2.mlp.down_proj.weight.csv'), 'utf8'));
  expect(curve).toHaveLength(96);
  expect(Number(curve[3]!['deltaSigma'])).toBeCloseTo(
    Number(curve[3]!['sTarget']) - Number(curve[3]!['sReference']),
    5,
  );
  expect([curve[47]!['leftRad'] === '', curve[48]!['leftRad']]).toEqual([false, '']);

  const printed = await compare([...args, '--csv', '-']);
  expect(printed.output).toBe(readFileSync(csv, 'utf8'));
});

test(
  'compare: a folder of a run is a trajectory; Ctrl+C pauses with 130, the same command goes on',
  { timeout: 90_000 },
  async () => {
    const folder = await temporaryFolder();
    const { base, run } = await writeTrajectory(folder, [30, 10, 20]);
    const args = [base, run, '--data', join(folder, 'data'), '--restoration', base, '--float64', '--json'];
    let interrupted = false;
    const paused = await compare(args, (output, interrupt) => {
      if (interrupted || !output.includes('"type":"started"')) return;
      interrupted = true;
      interrupt();
    });
    expect(paused.code, paused.errors).toBe(130);
    expect(paused.errors).toContain('The same command goes on');
    const resumed = await compare(args);
    expect(resumed.code, resumed.errors).toBe(0);
    const result = spectralResultSchema.parse(JSON.parse(resumed.lines.at(-1)!));
    expect(result.targets.map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(result.rows.map((row) => row.length)).toEqual([24, 24, 24]);
    expect(result.rows.flat().every(({ precision }) => precision === 'float64')).toBe(true);
    const started = resumed.lines.filter((line) => line.includes('"type":"started"'));
    expect(started).toHaveLength(2);
  },
);

test('compare: what cannot be compared is 1 with the reason, wrong usage is 2', { timeout: 90_000 }, async () => {
  const folder = await temporaryFolder();
  const { base, run } = await writeTrajectory(folder, [10]);
  const data = ['--data', join(folder, 'data')];
  const absent = await compare([base, join(folder, 'absent'), ...data]);
  expect(absent.code).toBe(1);
  expect(absent.errors).toContain('absent');
  const none = await compare([base, run, '--layers', '7', ...data]);
  expect(none.code).toBe(2);
  expect(none.errors).toContain('0 to 3');
  for (const wrong of [
    ['--layers', '3-1'],
    ['--matrices', 'q,x'],
    ['--rank', '0'],
    ['--rank-share', '1.5'],
    ['--rank', '3', '--rank-share', '0.5'],
    ['--json', '--csv', '-'],
  ]) {
    const ended = await compare([base, run, ...wrong, '--data', join(folder, 'untouched')]);
    expect(ended.code, wrong.join(' ')).toBe(2);
  }
  expect((await compare([base])).code).toBe(2);
  expect(readdirSync(folder)).not.toContain('untouched');
});
