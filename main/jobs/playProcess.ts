/**
 * Questions to checkpoints, answered by one process beside the queue of jobs: it is started by the first question, kept for the
 * next ones and ended when none comes. The engine itself never loads TensorFlow.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError, type AppErrorShape } from '../contract/errors.ts';
import type { PlayAnswer, PlaySplit, PlayToken } from '../contract/play.ts';

interface Question {
  folder: string;
  task: string;
  split: PlaySplit;
  inputs: Record<string, string>;
  temperature: number;
  seed: number;
  mostTokens: number;
}
export type PlayOrder = Question & { id: number };
export type PlayReply = { id: number } & ({ token: PlayToken } | { answer: PlayAnswer } | { error: AppErrorShape });

const entry = fileURLToPath(new URL('./playEntry.ts', import.meta.url));
/** Without a question for so long, its memory is given back. */
const idleMs = 120_000;
/** A cancelled question is let go of at once; a process that computes on for so long is ended, with what it has loaded. */
const patienceMs = 5000;

interface Waiting {
  ask: string;
  tokens: number;
  onTokens(at: number, tokens: PlayToken[]): void;
  resolve(answer: PlayAnswer): void;
  reject(error: AppError): void;
}

export class PlayProcess {
  #child: ChildProcess | null = null;
  readonly #waiting = new Map<number, Waiting>();
  /** Cancelled, and not yet ended by the process: each with the timer of its patience. */
  readonly #ending = new Map<number, NodeJS.Timeout>();
  #nextId = 1;
  #idle: NodeJS.Timeout | null = null;

  /**
   * @param ask names the question for `cancel`
   * @param onTokens told of every token as it comes, with its index
   * @throws CANCELLED; what the question or the checkpoint is refused with; WORKER_CRASHED
   */
  ask(ask: string, question: Question, onTokens: Waiting['onTokens']): Promise<PlayAnswer> {
    if (this.#idle) clearTimeout(this.#idle);
    const child = (this.#child ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { ask, tokens: 0, onTokens, resolve, reject });
      child.send({ ...question, id } satisfies PlayOrder);
    });
  }

  /** The questions of this name fail with CANCELLED at once; the process stops at its next token and keeps its models. */
  cancel(ask: string): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.ask !== ask) continue;
      this.#waiting.delete(id);
      waiting.reject(cancelled());
      this.#child?.send({ cancel: id });
      this.#ending.set(id, setTimeout(() => this.#end(unstoppable()), patienceMs).unref());
    }
  }

  /** Ends the process; what it was asked fails with CANCELLED. */
  stop(): void {
    this.#end(cancelled());
  }

  #start(): ChildProcess {
    const child = fork(entry, [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', ...process.env },
    });
    child.on('message', (reply: PlayReply) => this.#hear(reply));
    child.once('exit', () => {
      if (child === this.#child) this.#end(crashed());
    });
    child.once('error', (cause) => {
      if (child === this.#child) this.#end(crashed(cause));
    });
    return child;
  }

  #hear(reply: PlayReply): void {
    const waiting = this.#waiting.get(reply.id);
    if ('token' in reply) {
      waiting?.onTokens(waiting.tokens++, [reply.token]);
      return;
    }
    this.#waiting.delete(reply.id);
    clearTimeout(this.#ending.get(reply.id));
    this.#ending.delete(reply.id);
    if ('answer' in reply) waiting?.resolve(reply.answer);
    else waiting?.reject(new AppError(reply.error.code, reply.error.message, reply.error));
    if (this.#waiting.size > 0) return;
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), idleMs).unref();
  }

  #end(error: AppError): void {
    if (this.#idle) clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
    for (const timer of this.#ending.values()) clearTimeout(timer);
    this.#ending.clear();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

const cancelled = (): AppError => new AppError('CANCELLED', 'The question was cancelled.');

const unstoppable = (): AppError =>
  new AppError('CANCELLED', 'A cancelled question did not stop, so that the process that answers was ended.', {
    hint: 'Ask again.',
  });

const crashed = (cause?: unknown): AppError =>
  new AppError('WORKER_CRASHED', 'The process that answers has ended unexpectedly.', {
    hint: 'Ask again. If it happens again, the memory may be short.',
    cause,
  });
