/**
 * One worker process as the engine sees it.
 *
 *   running -> (exits by itself) -> ended
 *      \-> stopping (SIGTERM; after a grace SIGKILL) -> ended
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { physicalCores } from './physicalCores.ts';
import { parseUse, usagePipe } from './workerUse.ts';
import type { WorkerUse } from './workerUse.ts';

const workerEntry = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** The worker ends itself 5 s after SIGTERM; where even that hangs, the engine ends it. */
const killAfterMs = 6000;
/** An orphan ends within seconds of losing its engine. */
const orphanGraceMs = 8000;
const orphanCheckMs = 100;

/** Decompositions side by side take a thread of libuv's pool each; files are read and written on the four it has anyway. */
const UV_THREADPOOL_SIZE = String(physicalCores() + 4);

export interface WorkerListener {
  /** The worker has appended events. */
  onNudge(): void;
  /** About once a second, also while its main thread is inside one long call. */
  onUse(use: WorkerUse): void;
}

export interface WorkerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The process could not be started at all. */
  error: Error | null;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<WorkerEnd>;
  #killTimer: NodeJS.Timeout | null = null;

  constructor(jobFolder: string, { onNudge, onUse }: WorkerListener) {
    const log = openSync(join(jobFolder, 'worker.log'), 'a');
    this.#child = fork(workerEntry, [jobFolder], {
      execArgv: [],
      // Straight into the file: what a dying worker says is there, and it never blocks on the engine.
      // The last one is the watchdog's (`usagePipe`).
      stdio: ['ignore', log, log, 'ipc', 'pipe'],
      env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', UV_THREADPOOL_SIZE, ...process.env },
    });
    closeSync(log);
    this.#child.on('message', () => onNudge());
    const pipe = this.#child.stdio[usagePipe] as Readable;
    // It breaks when the worker is killed, which `ended` says.
    pipe.on('error', () => undefined);
    createInterface({ input: pipe }).on('line', (line) => {
      const use = parseUse(line);
      if (use) onUse(use);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        if (this.#child.pid === undefined) resolve({ code: null, signal: null, error });
      });
      this.#child.once('exit', (code, signal) => {
        if (this.#killTimer) clearTimeout(this.#killTimer);
        resolve({ code, signal, error: null });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to stop; returns at once. */
  stop(): void {
    if (this.#killTimer || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    this.#killTimer = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs);
  }
}

/** Whether `pid` still runs and is the worker of this folder, not a later process with the same number. */
function isWorkerOf(pid: number, jobFolder: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  if (process.platform !== 'linux') return true;
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return commandLine.includes(jobFolder);
  } catch {
    return false;
  }
}

/** Waits until the worker that a dead engine left behind has ended, and ends it when it does not. */
export async function outliveOrphan(jobFolder: string): Promise<void> {
  const file = join(jobFolder, 'worker.json');
  if (!existsSync(file)) return;
  let pid: unknown;
  try {
    ({ pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: unknown });
  } catch {
    return;
  }
  if (typeof pid !== 'number') return;
  const startMs = Date.now();
  while (isWorkerOf(pid, jobFolder)) {
    if (Date.now() - startMs > orphanGraceMs) process.kill(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, orphanCheckMs));
  }
}

/** The same for every job of a folder: nobody writes in it any more afterwards. */
export async function outliveAll(jobsFolder: string): Promise<void> {
  for (const job of await readdir(jobsFolder).catch(() => [])) await outliveOrphan(join(jobsFolder, job));
}
