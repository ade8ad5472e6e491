/** A real engine on a data folder of its own, as `rotascope serve` starts it. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { engineCommand } from '../../electron/engineCommand.ts';
import { callEngine } from '../../electron/engineConnection.ts';
import { repositoryFolder } from '../../main/bootstrap/folders.mjs';
import type { CallAnswer, CallInput, CallName } from '../../main/contract/api.ts';
import type { Listening } from '../../main/contract/wire.ts';

export interface EngineUnderTest extends Listening {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>>;
  /** Ends the engine and removes its data folder. */
  stop(): Promise<void>;
}

/** A folder that is removed with the returned function. */
export function temporaryFolder(name: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `rotascope-${name}-`));
  // Chromium may still be writing its caches when its main process has ended.
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

/** A fixture where a user would have it: outside the repository, in a folder of its name. */
export function copyOfFixture(name: string, into: string): string {
  const copy = join(into, name);
  cpSync(join(repositoryFolder, 'tests', 'fixtures', name), copy, { recursive: true });
  return copy;
}

/** @param prepare fills the data folder before the engine starts */
export async function startEngineUnderTest(
  rendererFolder: string,
  prepare: (dataFolder: string) => Promise<void> = () => Promise.resolve(),
): Promise<EngineUnderTest> {
  const data = temporaryFolder('data');
  await prepare(data.folder);
  const {
    executable,
    arguments: args,
    folder,
    environment,
  } = engineCommand(repositoryFolder, data.folder, rendererFolder, process.env);
  const child = spawn(executable, args, { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const listening = await new Promise<Listening>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The engine ended with ${code}: ${errors.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as Listening;
      if (message.type === 'listening') resolve(message);
    });
  });
  return {
    ...listening,
    call: (name, input) => callEngine(listening, name, input),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await ended;
      }
      data.remove();
    },
  };
}
