/** A wheel of a few bytes that pip accepts, and the process that installs it. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const bootstrapFolder = fileURLToPath(new URL('../../../main/bootstrap', import.meta.url));

export interface TinyWheel {
  project: string;
  version: string;
  file: string;
  sha256: string;
  bytes: number;
}

const writeWheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr('tiny/library.so', b'library ' * 20000)
    wheel.writestr('tiny/empty', b'')
    info = 'tiny-1.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

/** Writes the wheel into `index`, a folder that pip searches in place of the package index. */
export function makeTinyWheel(index: string): TinyWheel {
  mkdirSync(index, { recursive: true });
  const file = 'tiny-1.0-py3-none-any.whl';
  const path = join(index, file);
  const { status, stderr } = spawnSync('python3', ['-c', writeWheel, path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { project: 'tiny', version: '1.0', file, sha256, bytes: statSync(path).size };
}

export interface Message {
  step?: string;
  reached?: string;
  outcome?: 'made' | 'found' | 'failed';
  reason?: string;
  nextStep?: string;
}

export interface TinyInstall {
  process: ChildProcess;
  messages: Message[];
  /** Resolves with the last message when the process has ended. */
  ended: Promise<Message | undefined>;
  until(found: (message: Message) => boolean): Promise<void>;
}

export function installTiny(
  wheel: TinyWheel,
  {
    cache,
    index,
    bootstrap = bootstrapFolder,
    env = {},
  }: { cache: string; index: string; bootstrap?: string; env?: NodeJS.ProcessEnv },
): TinyInstall {
  const script = join(import.meta.dirname, 'makeTinyPart.mjs');
  const child = spawn(process.execPath, [script, bootstrap], {
    env: {
      ...process.env,
      ROTASCOPE_CACHE: cache,
      TINY_WHEEL: JSON.stringify(wheel),
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: index,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages: Message[] = [];
  const waiting: Array<() => void> = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    messages.push(JSON.parse(line) as Message);
    for (const look of waiting) look();
  });
  const ended = new Promise<Message | undefined>((resolve) => {
    child.on('close', () => resolve(messages.at(-1)));
  });
  const until = (found: (message: Message) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => (messages.some(found) ? resolve() : undefined);
      waiting.push(look);
      void ended.then(() => reject(new Error(`Ended before: ${JSON.stringify(messages)}`)));
      look();
    });
  return { process: child, messages, ended, until };
}
