/** The command line as a user types it: output, exit codes, Ctrl+C, a second command beside a running engine. */
import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { importVerdictSchema } from '../../main/contract/api.ts';
import type { Job } from '../../main/contract/api.ts';
import { studyResultSchema } from '../../main/contract/studyResult.ts';
import { cliEntry, connect, startEngineProcess, temporaryFolder, testEnvironment, until } from './engineProcess.ts';

interface Ended {
  code: number | null;
  lines: string[];
  errors: string;
}

/** @param onLine called with every line of the output and the way to signal the command */
function run(
  args: string[],
  faults: object = {},
  onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [cliEntry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: testEnvironment(faults),
  });
  const lines: string[] = [];
  let rest = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    const pieces = (rest + data.toString()).split('\n');
    rest = pieces.pop()!;
    for (const line of pieces) {
      lines.push(line);
      onLine(line, (signal) => child.kill(signal));
    }
  });
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, lines, errors })));
}

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const small = ['--set', 'sft.checkpoints=[0,5,10,20]', '--set', 'sft.endStep=10', '--set', 'rl.starts=[10]'];
const smallest = [...small, '--set', 'rl.controlArms=[]'];
const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

test(
  'study: paused by Ctrl+C with 130, resumed by the same command, printed again when finished',
  { timeout: 90_000 },
  async () => {
    const data = await temporaryFolder();
    const args = ['study', 'miniature', '--data', data, '--json', ...smallest];
    let seen = 0;
    const paused = await run(args, { steps: 200, stepMs: 10, resumeEvery: 20 }, (line, kill) => {
      if (parse(line)['type'] === 'resumePoint' && ++seen === 3) kill('SIGINT');
    });
    expect(paused.code, paused.errors).toBe(130);
    expect(paused.lines.map(parse).filter(({ type }) => type === 'error')).toEqual([]);
    const resumed = await run(args, { steps: 200, resumeEvery: 20 });
    expect(resumed.code, resumed.errors).toBe(0);
    const events = resumed.lines.map(parse);
    const result = studyResultSchema.parse(events.at(-1));
    expect(result).toMatchObject({ complete: true, words: ['The peak is at step 5.'] });
    const attempts = events.filter(({ type, stageId }) => type === 'started' && stageId === 'seed-0.pretrain');
    expect(attempts).toHaveLength(2);
    const again = await run(args);
    expect(again.code).toBe(0);
    expect(parse(again.lines.at(-1)!)).toEqual(events.at(-1));
  },
);

test(
  'study: --new starts another one beside a running engine; without --json the words are printed',
  { timeout: 90_000 },
  async () => {
    const data = await temporaryFolder();
    const engine = await startEngineProcess(data);
    const client = await connect(engine.listening);
    const args = ['study', 'miniature', '--data', data, '--seeds', '4', ...smallest];
    const first = await run(args);
    expect(first.code, first.errors).toBe(0);
    expect(first.lines.at(-1)).toBe('The peak is at step 5.');
    expect(first.lines.some((line) => /^succeeded\s+Pretrain the base · seed 4$/.test(line))).toBe(true);
    await run([...args, '--new', '--json'], {}, (line, kill) => {
      if (line.includes('"type":"started"')) kill('SIGINT');
    });
    const studies = await client.call('studies.list', {});
    expect(studies.map(({ state }) => state)).toEqual(['cancelled', 'succeeded']);
    expect(engine.process.exitCode).toBe(null);
  },
);

test('study: a failed stage is 1, wrong settings are 2 and touch nothing', { timeout: 60_000 }, async () => {
  const data = await temporaryFolder();
  const failed = await run(['study', 'miniature', '--data', data, ...smallest], { failAtStep: 2 });
  expect(failed.code).toBe(1);
  expect(failed.errors).toContain('Step 2 cannot be done.');
  for (const wrong of [
    ['--set', 'rl.itterations=3'],
    ['--seeds', 'a'],
  ]) {
    const ended = await run(['study', 'miniature', '--data', join(data, 'untouched'), ...wrong]);
    expect(ended.code, wrong.join(' ')).toBe(2);
  }
  expect((await run(['study', 'other'])).code).toBe(2);
  expect((await run(['--help'])).code).toBe(0);
});

test('import: one line a file, 0 when all are accepted, 3 when some are not, and the good ones are there', async () => {
  const data = await temporaryFolder();
  const good = ['tiny-llama', 'tiny-llama-sharded', 'tiny-qwen2'].map((name) => join(fixtures, name));
  const all = await run(['import', ...good, '--data', data, '--json']);
  expect(all.code, all.errors).toBe(0);
  const verdicts = all.lines.map((line) => importVerdictSchema.parse(parse(line)));
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted', 'accepted']);
  expect(new Set(verdicts.map(({ checkpointId }) => checkpointId)).size).toBe(3);
  const broken = join(await temporaryFolder(), 'broken');
  await mkdir(broken);
  await cp(join(good[0]!, 'config.json'), join(broken, 'config.json'));
  await writeFile(join(broken, 'model.safetensors'), Buffer.alloc(100, 0xff));
  const some = await run(['import', good[0]!, broken, '--data', data, '--json']);
  expect(some.code).toBe(3);
  expect(some.lines.map((line) => parse(line)['verdict'])).toEqual(['accepted', 'rejected']);
  const engine = await startEngineProcess(data);
  const client = await connect(engine.listening);
  const checkpoints = await client.call('checkpoints.list', {});
  expect(checkpoints).toHaveLength(3);
  const sharded = checkpoints.find(({ name }) => name === 'tiny-llama-sharded')!;
  const detail = await client.call('checkpoints.get', { id: sharded.id });
  expect(detail.tensorTable).toHaveLength(detail.tensors);
  expect(detail.config['model_type']).toBe('llama');
  await client.call('checkpoints.remove', { id: sharded.id });
  expect(await client.call('checkpoints.list', {})).toHaveLength(2);
  await client.call('checkpoints.restore', { id: sharded.id });
  expect(await client.call('checkpoints.list', {})).toHaveLength(3);
});

test('import --copy: ends when the files are in the data folder and hashed', async () => {
  const data = await temporaryFolder();
  const ended = await run(['import', join(fixtures, 'tiny-llama'), '--copy', '--data', data]);
  expect(ended.code, ended.errors).toBe(0);
  const engine = await startEngineProcess(data);
  const client = await connect(engine.listening);
  const [row] = await client.call('checkpoints.list', {});
  expect(row).toMatchObject({ copied: true, folder: join(data, 'checkpoints', 'tiny-llama'), missing: false });
  expect(row!.contentHash).toMatch(/^[0-9a-f]{64}$/);
  expect((await client.call('app.state', {})).notices).toEqual([]);
});

test('serve: a second one says where the first answers and ends; a damaged database is said and left', async () => {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data);
  const second = await run(['serve', '--json', '--no-open', '--data', data]);
  expect(second.code).toBe(0);
  expect(parse(second.lines[0]!)).toEqual({ ...engine.listening, existing: true });
  const other = await temporaryFolder();
  await writeFile(join(other, 'rotascope.sqlite'), 'no database '.repeat(100));
  const damaged = await run(['serve', '--json', '--no-open', '--data', other]);
  expect(damaged.code).toBe(1);
  expect(damaged.errors).toMatch(/database .* is damaged/);
});

test(
  'study of a checkpoint: --base is imported and hashed, and the study names its content',
  { timeout: 90_000 },
  async () => {
    const data = await temporaryFolder();
    const base = join(fixtures, 'tiny-qwen2');
    const sft = ['--set', 'sft.steps=20', ...smallest];
    const args = ['study', 'paper-qwen', '--data', data, '--json', '--task', 'rank', ...sft];
    const without = await run(args);
    expect(without).toMatchObject({
      code: 2,
      lines: [expect.stringMatching(/choose the checkpoint to start from\."/)],
    });
    const done = await run([...args, '--base', base]);
    expect(done.code, done.errors).toBe(0);
    const stages = done.lines.map(parse).filter(({ type, state }) => type === 'stage' && state === 'succeeded');
    expect(stages.map(({ stageId }) => stageId)).toEqual(['seed-0.sft', 'seed-0.rl-ppoPlain-10', 'seed-0.analyse', 'analyse']); // prettier-ignore
    const client = await connect((await startEngineProcess(data)).listening);
    const [study] = await client.call('studies.list', {});
    const [row] = (await client.call('checkpoints.list', {})).filter(({ folder }) => folder === base);
    expect(study!.settings.base).toEqual({
      ...{ folder: base, name: 'tiny-qwen2', contentHash: row!.contentHash, parameters: row!.parameters },
    });
    // The same content from another place is the same study.
    const elsewhere = join(data, 'elsewhere');
    await cp(base, elsewhere, { recursive: true });
    const again = await run([...args, '--base', elsewhere]);
    expect([again.code, parse(again.lines.at(-1)!)]).toEqual([0, parse(done.lines.at(-1)!)]);
  },
);

test('sft-data: written to a file, checked, and the wrong line named', { timeout: 60_000 }, async () => {
  const out = join(await temporaryFolder(), 'data.jsonl');
  const options = ['--task', 'rank', '--examples', '5', '--seed', '3'];
  expect(await run(['sft-data', ...options, '--out', out])).toMatchObject({ code: 0 });
  const { lines } = await run(['sft-data', ...options]);
  expect(lines).toEqual((await readFile(out, 'utf8')).trim().split('\n'));
  expect(lines.map(parse)).toEqual(Array(5).fill(expect.objectContaining({ task: 'rank', split: 'inDist' })));
  expect(await run(['sft-data', '--check', out])).toMatchObject({ code: 0 });
  await writeFile(out, [...lines, '{"messages": []}'].join('\n'));
  const checked = await run(['sft-data', '--check', out]);
  expect(checked.code).toBe(3);
  expect(checked.lines).toEqual([expect.stringContaining('5 examples, 1 bad lines'), expect.stringContaining('line 6:')]); // prettier-ignore
});

test(
  'study: a pause of the queue or of a job in the window holds the command and says so; resumed, it ends as ever',
  { timeout: 90_000 },
  async () => {
    const data = await temporaryFolder();
    expect((await run(['queue', 'pause', '--data', data])).lines).toEqual(['The queue is paused: nothing new starts.']);
    const engine = await startEngineProcess(data, { steps: 200, stepMs: 10, resumeEvery: 20 });
    const client = await connect(engine.listening);
    const command = run(['study', 'miniature', '--data', data, '--json', ...smallest]);
    const pretraining = async (): Promise<Job | undefined> =>
      (await client.call('jobs.list', {})).find(({ kind }) => kind === 'pretrain');
    await until(pretraining, (job) => job?.state === 'queued');
    const queue = await run(['queue', '--data', data]);
    expect(queue.lines[1]).toMatch(/^queued +Pretrain the base/);
    await new Promise((wake) => setTimeout(wake, 600));
    expect((await run(['queue', 'resume', '--data', data])).lines[0]).toBe('The queue is not paused.');
    const job = await until(pretraining, (one) => (one?.resumePoint?.step ?? 0) >= 40);
    await client.call('jobs.pause', { id: job!.id });
    await until(pretraining, (one) => one?.state === 'paused');
    expect((await client.call('studies.list', {})).map(({ state }) => state)).toEqual(['paused']);
    await new Promise((wake) => setTimeout(wake, 600));
    await client.call('jobs.resume', { id: job!.id });
    const ended = await command;
    expect(ended.code, ended.errors).toBe(0);
    expect(ended.errors).toMatch(/The queue is paused: nothing starts before "rotascope queue resume".*http:/);
    expect(ended.errors).toMatch(/Paused\. Waiting for Resume on the page of jobs, http:/);
    expect(parse(ended.lines.at(-1)!)).toMatchObject({ complete: true });
    const states = ended.lines.map(parse).filter(({ type, kind }) => type === 'stage' && kind === 'pretrain');
    expect(states.map(({ state }) => state)).toContain('paused');
  },
);
