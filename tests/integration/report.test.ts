/** The report of a study from the command line: one file that loads nothing, with every figure drawn. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliEntry, connect, startEngineProcess, temporaryFolder, testEnvironment } from './engineProcess.ts';

function report(...args: string[]): { status: number | null; errors: string } {
  const { status, stderr } = spawnSync(process.execPath, [cliEntry, 'report', ...args], { env: testEnvironment() });
  return { status, errors: stderr.toString() };
}

test('of the sample study: its words, sixteen figures with their rows, nothing to load', async () => {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data);
  const client = await connect(engine.listening);
  const { id } = await client.call('studies.openSample', {});
  const { words } = await client.call('studies.result', { id });
  engine.process.kill('SIGTERM');
  await engine.ended;
  const out = join(data, 'report.html');
  const ended = report(id.slice(0, 8), '--out', out, '--data', data);
  expect(ended.status, ended.errors).toBe(0);
  const html = readFileSync(out, 'utf8');
  const svgs = html.match(/<svg .*?<\/svg>/gs)!;
  expect(svgs).toHaveLength(16);
  for (const svg of svgs) expect(svg.match(/<path /g)!.length).toBeGreaterThan(5);
  expect(html.match(/<figcaption>/g)).toHaveLength(16);
  const text = html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  for (const sentence of words) expect(text).toContain(sentence.trim());
  expect(html).not.toMatch(/<script|<link|<img|javascript:|@import|url\((?!#)/i);

  expect(report('no such study', '--out', out, '--data', data)).toMatchObject({
    status: 1,
    errors: expect.stringContaining(`${id.slice(0, 8)} Sample study`) as string,
  });
  expect(report(id, '--data', data).status).toBe(2);
});
