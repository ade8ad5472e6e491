/** Commands on the engine of another machine: a second engine process with a data folder of its own, behind a forwarded port. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import { addressWithToken } from '../../main/contract/wire.ts';
import { cliEntry, connect, startEngineProcess, temporaryFolder, testEnvironment, until } from './engineProcess.ts';
import { startForward } from './forward.ts';

interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

interface RunOptions {
  env?: NodeJS.ProcessEnv;
  onOutput?(output: string): void;
}

function run(args: string[], { env = {}, onOutput = () => undefined }: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [cliEntry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...testEnvironment(), ...env },
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => onOutput((output += data.toString())));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output, errors })));
}

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const smallest = [
  ...['--set', 'sft.checkpoints=[0,5,10,20]', '--set', 'sft.endStep=10'],
  ...['--set', 'rl.starts=[10]', '--set', 'rl.controlArms=[]'],
];

test('import goes to the engine at the address, and the data folder of this machine stays as it is', async () => {
  const [there, here] = [await temporaryFolder(), await temporaryFolder()];
  const { listening } = await startEngineProcess(there);
  const forward = await startForward(listening.port);
  onTestFinished(() => forward.drop());
  const address = addressWithToken(`http://127.0.0.1:${forward.port}`, listening.token);
  const env = { ROTASCOPE_DATA: here };
  const whole = await run(['--connect', address, 'import', join(fixtures, 'tiny-llama'), '--json'], { env });
  expect(whole.code, whole.errors).toBe(0);
  const client = await connect(listening);
  expect((await client.call('checkpoints.list', {})).map(({ name }) => name)).toEqual(['tiny-llama']);
  expect(existsSync(join(here, 'engine.json'))).toBe(false);

  const absent = await run(['--connect', address, 'import', '/only/on/this/machine'], { env });
  expect([absent.code, absent.errors]).toEqual([3, expect.stringContaining("Paths are those of the engine's machine")]);
  const relative = await run(['import', 'tiny-llama'], { env: { ...env, ROTASCOPE_CONNECT: address } });
  expect([relative.code, relative.errors]).toEqual([2, expect.stringContaining("as it is on the engine's machine")]);
});

test('a study whose tunnel drops goes on there; the same command prints its result', { timeout: 120_000 }, async () => {
  const { listening } = await startEngineProcess(await temporaryFolder(), { steps: 60, stepMs: 20, resumeEvery: 20 });
  const forward = await startForward(listening.port);
  onTestFinished(() => forward.drop());
  const env = { ROTASCOPE_CONNECT: addressWithToken(`http://127.0.0.1:${forward.port}`, listening.token) };
  const args = ['study', 'miniature', '--json', ...smallest];
  const dropping: Promise<void>[] = [];
  const cut = await run(args, {
    env,
    onOutput: (output) => {
      if (output.includes('"resumePoint"')) dropping[0] ??= forward.drop();
    },
  });
  await Promise.all(dropping);
  expect([cut.code, cut.errors]).toEqual([1, expect.stringMatching(/tunnel to port \d+ stands/)]);
  await forward.restore();
  const client = await connect(listening);
  await until(
    () => client.call('studies.list', {}),
    ([study]) => study?.state === 'succeeded',
    90_000,
  );
  const again = await run(args, { env });
  expect(again.code, again.errors).toBe(0);
  const [last] = again.output.trim().split('\n').slice(-1);
  expect(JSON.parse(last!)).toMatchObject({ type: 'result', version: 1 });
  expect(await client.call('studies.list', {})).toHaveLength(1);
});

test('an engine of another version is named, with the next step', async () => {
  // The whole engine, as the next version might be installed there.
  const folder = await temporaryFolder();
  for (const part of ['main', 'package.json'])
    cpSync(join(repositoryFolder, part), join(folder, part), { recursive: true });
  symlinkSync(join(repositoryFolder, 'node_modules'), join(folder, 'node_modules'));
  const wire = join(folder, 'main', 'contract', 'wire.ts');
  const next = readFileSync(wire, 'utf8').replace(
    /(contractVersion = )(\d+)/,
    (_, name, was) => `${name}${Number(was) + 1}`,
  );
  writeFileSync(wire, next);
  const { listening } = await startEngineProcess(
    await temporaryFolder(),
    {},
    testEnvironment(),
    join(folder, 'main', 'cli.ts'),
  );
  const { code, errors } = await run(['--connect', listening.address, 'import', join(fixtures, 'tiny-llama')]);
  expect(code).toBe(1);
  expect(errors).toMatch(
    /The engine is Rotascope \S+, whose contract is version 2; the contract of this program is version 1/,
  );
  expect(errors).toContain('Install the same version on both machines');
});

test('what is no address, what is not on loopback, and what does not use an engine is said with exit code 2', async () => {
  const address = addressWithToken('http://127.0.0.1:9', 'a'.repeat(43));
  const refused: [string[], string][] = [
    [['--connect', 'http://127.0.0.1:9/', 'import', '/a'], 'This is not the address of an engine.'],
    [
      ['--connect', `http://gpu.lab:4000/#token=${'a'.repeat(43)}`, 'import', '/a'],
      'ssh -N -L 4000:127.0.0.1:4000 user@gpu.lab',
    ],
    [['--connect', address, 'serve'], 'serve does not use an engine'],
    [['--connect', address, 'import', '--data', '/b', '/a'], 'name two engines'],
  ];
  for (const [args, said] of refused) {
    const { code, errors } = await run(args);
    expect([code, errors], args.join(' ')).toEqual([2, expect.stringContaining(said)]);
  }
  const exported = await run(['export', 'a', 'b'], { env: { ROTASCOPE_CONNECT: address } });
  expect(exported.code).toBe(2);
  const silent = await run(['--connect', address, 'import', '/a']);
  expect([silent.code, silent.errors]).toEqual([1, expect.stringContaining('No engine answers on port 9')]);
});

test('serve --background outlives its command; a second one finds it; what goes wrong is said', async () => {
  const folder = await temporaryFolder();
  const args = ['serve', '--background', '--data', folder];
  const first = await run([...args, '--json']);
  expect(first.code, first.errors).toBe(0);
  const engine = JSON.parse(first.output) as { pid: number; address: string; port: number };
  onTestFinished(() => void process.kill(engine.pid, 'SIGKILL'));
  const second = await run([...args, '--print-address']);
  expect(second).toMatchObject({ code: 0, output: `${engine.address}\n` });
  const spelt = await run(args);
  expect(spelt.output).toContain(`ssh -N -L ${engine.port}:127.0.0.1:${engine.port} `);
  // No token in what is kept.
  expect(readFileSync(join(folder, 'background.log'), 'utf8')).toBe('');
  const damaged = await temporaryFolder();
  writeFileSync(join(damaged, 'rotascope.sqlite'), 'no database '.repeat(1000));
  const failed = await run(['serve', '--background', '--data', damaged]);
  expect([failed.code, failed.errors]).toEqual([1, expect.stringMatching(/did not start\..*database/s)]);
});
