/**
 * The engine as a child process in plain Node: started, supervised, stopped. Knows nothing of Electron, so that tests
 * run it in plain Node too.
 *
 *   stopped -> starting -> running -> (dies) -> starting -> running -> (dies) -> failed
 *                 \-> failed (ended before it was ready)
 *
 * A dead engine is started again once; `restart()` (the user's wish) allows one more. Where another process already
 * serves the data folder, `serve` says so and ends: that engine is used, watched, never stopped, and replaced by one of
 * our own when it goes.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Listening } from '../main/contract/wire.ts';

export interface EngineCommand {
  executable: string;
  arguments: string[];
  /** Working folder: the repository (or the packaged app's resources). */
  folder: string;
  environment: NodeJS.ProcessEnv;
}

export interface EngineFailure {
  /** The fact, for a dialog: "The engine ended with code 1." */
  reason: string;
  /** The engine's last lines, newest last. */
  lastLines: string[];
}

export interface EngineListeners {
  onReady(engine: Listening, restarted: boolean): void;
  /** Died and is being started again. */
  onLost(reason: string): void;
  onFailed(failure: EngineFailure): void;
}

/** Cold starts read the disk and check the database; a start that takes longer hangs. */
const startTimeoutMs = 60_000;
/** The engine writes its jobs' state on SIGTERM, within a second or two. */
const stopTimeoutMs = 10_000;
/** An engine that is not our child is looked for this often. */
const watchIntervalMs = 1000;
/** Time for the last lines of a dead engine to arrive. */
const drainMs = 300;
/** Kept for "Copy diagnostics". */
const keptLines = 200;

export class EngineProcess {
  private child: ChildProcess | null = null;
  private current: Listening | null = null;
  private watch: NodeJS.Timeout | null = null;
  private stopping = false;
  private restartsLeft = 1;
  private lines: string[] = [];
  private readonly command: EngineCommand;
  private readonly listeners: EngineListeners;

  constructor(command: EngineCommand, listeners: EngineListeners) {
    this.command = command;
    this.listeners = listeners;
  }

  /** Null until the engine is ready, and while it is down. */
  get engine(): Listening | null {
    return this.current;
  }

  /** False when another process started the engine in use: it outlives the shell. */
  get owned(): boolean {
    return this.current !== null && !this.current.existing;
  }

  get lastLines(): readonly string[] {
    return this.lines;
  }

  start(restarted = false): void {
    const { executable, arguments: args, folder, environment } = this.command;
    this.stopping = false;
    const child = spawn(executable, args, {
      cwd: folder,
      // The engine leaves a notice of it, which survives a reload of the page.
      env: { ...environment, ...(restarted ? { ROTASCOPE_RESTARTED: '1' } : {}) },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl+C in the terminal reaches the shell, which asks or stops the engine in order.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.child = child;
    let error: Error | null = null;
    const timer = setTimeout(() => {
      error = new Error(`The engine was not ready within ${startTimeoutMs / 1000} s.`);
      killGroup(child);
    }, startTimeoutMs);
    this.onLines(child, (engine) => {
      // Said again after a restart that the user asked for, within the same process.
      clearTimeout(timer);
      this.current = engine;
      if (engine.existing) this.watchOther(engine.pid);
      this.listeners.onReady(engine, restarted);
    });
    child.stdin?.on('error', () => undefined); // An engine that died first closes the pipe.
    child.once('error', (cause) => {
      error = new Error(`The engine could not be started: ${cause.message}.`);
    });
    const onEnd = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (this.child !== child) return;
      clearTimeout(timer);
      this.child = null;
      if (this.stopping || (this.current?.existing && !error)) return;
      this.ended(error?.message ?? `The engine ended ${signal ? `by ${signal}` : `with code ${code ?? '?'}`}.`);
    };
    child.once('close', onEnd);
    // Workers that outlive a killed engine for a moment hold its pipes open: do not wait for them.
    child.once('exit', (code, signal) => setTimeout(onEnd, drainMs, code, signal));
  }

  /** After a failure, when the user asks for it. */
  restart(): void {
    if (this.child) return;
    this.restartsLeft = 1;
    this.start(true);
  }

  /** Asks the engine to end; running jobs become resumable. Ends it and its workers by force when it does not. */
  async stop(timeoutMs = stopTimeoutMs): Promise<void> {
    const child = this.child;
    this.stopping = true;
    this.unwatch();
    this.current = null;
    // An exit that is over is not announced again, and the child is forgotten only after its last lines.
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => killGroup(child), timeoutMs);
    child.stdin?.end();
    child.kill('SIGTERM');
    await closed;
    clearTimeout(timer);
  }

  private ended(reason: string): void {
    const wasReady = this.current !== null;
    this.current = null;
    if (wasReady && this.restartsLeft > 0) {
      this.restartsLeft -= 1;
      this.listeners.onLost(reason);
      this.start(true);
    } else {
      this.listeners.onFailed({ reason, lastLines: [...this.lines] });
    }
  }

  private watchOther(pid: number): void {
    this.watch = setInterval(() => {
      if (isAlive(pid)) return;
      this.unwatch();
      this.ended('The engine of another process ended.');
    }, watchIntervalMs);
  }

  private unwatch(): void {
    if (this.watch) clearInterval(this.watch);
    this.watch = null;
  }

  private onLines(child: ChildProcess, onListening: (engine: Listening) => void): void {
    const keep = (line: string): void => {
      this.lines.push(line);
      if (this.lines.length > keptLines) this.lines.shift();
    };
    const onOutput = (line: string): void => {
      const engine = listeningOf(line);
      // It holds the token, and what is kept ends in reports of problems.
      if (engine) onListening(engine);
      else keep(line);
    };
    if (child.stdout) createInterface({ input: child.stdout }).on('line', onOutput);
    if (child.stderr) createInterface({ input: child.stderr }).on('line', keep);
  }
}

/** The line that `serve --json` prints when the engine answers; anything else is a log line. */
export function listeningOf(line: string): Listening | null {
  if (!line.startsWith('{')) return null;
  try {
    const message = JSON.parse(line) as Partial<Listening>;
    return message.type === 'listening' && message.address && message.origin ? (message as Listening) : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The engine and what it started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // The group is gone; its leader may be dying.
  }
}
