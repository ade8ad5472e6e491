/** Real engines for the tests: in a process of their own, on a data folder of their own, with the tiny kinds. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { connectEngine } from '../../main/api/engineClient.ts';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { EngineEvent } from '../../main/contract/api.ts';
import { listeningSchema } from '../../main/contract/wire.ts';
import type { Listening } from '../../main/contract/wire.ts';

export const cliEntry = fileURLToPath(new URL('../../main/cli.ts', import.meta.url));
const testKinds = fileURLToPath(new URL('./kinds/testKinds.ts', import.meta.url));

export function testEnvironment(faults: object = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_ENV: 'test',
    ROTASCOPE_TEST_KINDS: testKinds,
    ROTASCOPE_TEST_FAULTS: JSON.stringify(faults),
  };
}

/** Removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rotascope-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export interface EngineUnderTest {
  listening: Listening;
  process: ChildProcess;
  /** Resolves with the exit code, or the signal. */
  ended: Promise<number | string>;
}

/** Starts `rotascope serve` and waits until it answers; killed when the test ends. With `process.env`: the real kinds. */
export async function startEngineProcess(
  dataFolder: string,
  faults: object = {},
  env: NodeJS.ProcessEnv = testEnvironment(faults),
  entry = cliEntry,
): Promise<EngineUnderTest> {
  const child = spawn(process.execPath, [entry, 'serve', '--json', '--no-open', '--data', dataFolder], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
  });
  const errors: string[] = [];
  child.stderr.on('data', (data: Buffer) => errors.push(data.toString()));
  const ended = new Promise<number | string>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal ?? -1)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    void ended.then((code) => reject(new Error(`The engine ended with ${code}: ${errors.join('')}`)));
  });
  return { listening: listeningSchema.parse(JSON.parse(line)), process: child, ended };
}

/** Closed when the test ends. */
export async function connect(
  { port, token }: Pick<Listening, 'port' | 'token'>,
  onEvents: (events: EngineEvent[]) => void = () => undefined,
): Promise<EngineClient> {
  const client = await connectEngine({ port, token, onEvents });
  onTestFinished(() => client.close());
  return client;
}

/** Asks again until `isDone`, and fails with the last answer after `timeoutMs`. */
export async function until<T>(
  ask: () => T | Promise<T>,
  isDone: (value: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (isDone(value)) return value;
    if (Date.now() > endMs) throw new Error(`Not reached in ${timeoutMs} ms; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
