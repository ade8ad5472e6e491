import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bootstrapFolder } from './tinyWheel.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rotascope-commands-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const env = { ...process.env, ROTASCOPE_NATIVE: 'off' };
const run = (script: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(bootstrapFolder, script), ...args], { env, encoding: 'utf8' });

test('an unknown option of npm start is two sentences, not a stack trace', () => {
  const { status, stderr } = run('start.mjs', '--nonsense');
  expect(status).toBe(1);
  expect(stderr).toContain("Unknown option '--nonsense'");
  expect(stderr).toContain('Run "npm start -- --help" for the options.');
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('npx rotascope passes on what the command line says and how it ends', () => {
  expect(run('rotascope.mjs', '--version')).toMatchObject({ status: 0, stdout: '0.1.0\n', stderr: '' });
  const wrong = run('rotascope.mjs', 'nonsense');
  expect(wrong.status).not.toBe(0);
  expect(wrong.stdout).toBe('');
  expect(wrong.stderr).toContain('nonsense');
});

test('a stopped npx rotascope stops its engine', async () => {
  const args = ['serve', '--no-open', '--port', '0', '--data', data];
  const child = spawn(process.execPath, [join(bootstrapFolder, 'rotascope.mjs'), ...args], { env });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('answers at')) resolve();
    });
    void ended.then(() => reject(new Error(`Ended early: ${said}`)));
  });
  const { pid } = JSON.parse(readFileSync(join(data, 'engine.json'), 'utf8')) as { pid: number };
  expect(pid).not.toBe(child.pid);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
