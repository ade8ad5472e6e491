/**
 * Questions to checkpoints, answered by one process beside the queue of jobs: it is started by the first question, kept for the
 * next ones and ended when none comes. The engine itself never loads TensorFlow.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError, type AppErrorShape } from '../contract/errors.ts';
import type { PlayAnswer, PlaySplit } from '../contract/play.ts';

export interface PlayOrder {
  id: number;
  folder: string;
  task: string;
  split: PlaySplit;
  inputs: Record<string, string>;
}
export type PlayReply = { id: number } & ({ answer: PlayAnswer } | { error: AppErrorShape });

const entry = fileURLToPath(new URL('./playEntry.ts', import.meta.url));
/** Without a question for so long, its memory is given back. */
const idleMs = 120_000;

interface Waiting {
  resolve(answer: PlayAnswer): void;
  reject(error: AppError): void;
}

export class PlayProcess {
  #child: ChildProcess | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #idle: NodeJS.Timeout | null = null;

  /** @throws CANCELLED; what the question or the checkpoint is refused with; WORKER_CRASHED */
  ask(order: Omit<PlayOrder, 'id'>): Promise<PlayAnswer> {
    if (this.#idle) clearTimeout(this.#idle);
    const child = (this.#child ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      child.send({ id, ...order } satisfies PlayOrder);
    });
  }

  /** Ends the process; what it was asked fails with CANCELLED. */
  stop(): void {
    this.#end(new AppError('CANCELLED', 'The question was cancelled.'));
  }

  #start(): ChildProcess {
    const child = fork(entry, [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', ...process.env },
    });
    child.on('message', (reply: PlayReply) => this.#settle(reply));
    child.once('exit', () => {
      if (child === this.#child) this.#end(crashed());
    });
    child.once('error', (cause) => {
      if (child === this.#child) this.#end(crashed(cause));
    });
    return child;
  }

  #settle(reply: PlayReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('answer' in reply) waiting?.resolve(reply.answer);
    else waiting?.reject(new AppError(reply.error.code, reply.error.message, reply.error));
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.stop(), idleMs).unref();
  }

  #end(error: AppError): void {
    if (this.#idle) clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

const crashed = (cause?: unknown): AppError =>
  new AppError('WORKER_CRASHED', 'The process that answers has ended unexpectedly.', {
    hint: 'Ask again. If it happens again, the memory may be short.',
    cause,
  });
