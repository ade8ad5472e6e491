/**
 * An engine on another machine over SSH: found or started there, its port forwarded, both again with back-off when the
 * connection drops. Knows nothing of Electron, so that tests run it in plain Node too.
 *
 *   open() -> up -> (tunnel or engine lost) -> down, tried again -> up ... -> close()
 */
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { SshTarget, TunnelFault } from '../main/contract/desktop.ts';
import { AppError } from '../main/contract/errors.ts';
import { addressWithToken } from '../main/contract/wire.ts';
import { connectEngine } from './engineConnection.ts';
import type { EngineConnection } from './engineConnection.ts';
import { checkPage } from './remotePage.ts';
import type { RemoteAddress } from './remotePage.ts';
import { findEngine, forwardPort } from './ssh.ts';

export interface SshEngineListeners {
  /** Back after it was down; the address may be another one. */
  onUp(address: RemoteAddress): void;
  onDown(fault: NonNullable<TunnelFault>): void;
}

/** Waiting times between attempts, ms; the last one repeats. */
const retryDelaysMs = [1000, 2000, 4000, 8000, 15_000, 30_000];
/** A forwarded port answers as soon as ssh has logged in. */
const readyTimeoutMs = 30_000;
const lookEveryMs = 100;
const settleMs = 300;

export class SshEngine {
  private children = new Set<ChildProcess>();
  private connection: EngineConnection | null = null;
  private localPort = 0;
  private attempts = 0;
  private timer: NodeJS.Timeout | null = null;
  private isUp = false;
  private closed = false;
  private readonly target: SshTarget;
  private readonly listeners: SshEngineListeners;

  constructor(target: SshTarget, listeners: SshEngineListeners) {
    this.target = target;
    this.listeners = listeners;
  }

  /** @throws AppError why it cannot be reached, with the next step; CANCELLED after `close` */
  async open(): Promise<RemoteAddress> {
    try {
      const { port, token } = await findEngine(this.target, (child) => this.keep(child));
      this.throwIfClosed();
      this.localPort = await freePort(this.localPort || port);
      const { child, ended } = forwardPort(this.target, this.localPort, port);
      this.keep(child);
      const origin = `http://127.0.0.1:${this.localPort}`;
      let fault: AppError | null = null;
      const onFault = (error: AppError): void => {
        fault ??= error;
        this.lost(error);
      };
      void ended.then(onFault);
      const throwFault = (): void => {
        this.throwIfClosed();
        if (fault) throw fault;
      };
      // A tunnel that ends takes the connection along: its own reason is the better one.
      const onClosed = (): void => void setTimeout(onFault, settleMs, this.engineGone());
      this.connection = await connectWhenReady({ origin, token }, onClosed, throwFault);
      await checkPage(origin, this.target.host);
      throwFault();
      this.isUp = true;
      this.attempts = 0;
      return { origin, token, address: addressWithToken(origin, token) };
    } catch (error) {
      this.endAll();
      throw this.closed ? new AppError('CANCELLED', 'The attempt to connect was given up.') : error;
    }
  }

  /** While it is down: at once instead of at the next time. */
  retry(): void {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.open().then(
      (address) => this.listeners.onUp(address),
      (error: unknown) => this.down(error),
    );
  }

  /** Ends the tunnel; the engine there goes on. */
  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.endAll();
  }

  private engineGone(): AppError {
    return new AppError('INTERRUPTED', `The engine on ${this.target.host} has ended the connection.`);
  }

  /** While the tunnel is only being opened, `open` says what is wrong. */
  private lost(error: AppError): void {
    if (!this.isUp) return;
    this.endAll();
    this.down(error);
  }

  private down(error: unknown): void {
    if (this.closed) return;
    const delayMs = retryDelaysMs[Math.min(this.attempts, retryDelaysMs.length - 1)]!;
    this.attempts += 1;
    this.timer = setTimeout(() => this.retry(), delayMs);
    const { message, hint = '', code } = error as Partial<AppError> & Error;
    // What may pass by itself needs no next step of the user.
    const reason = code === 'INTERRUPTED' ? message : `${message} ${hint}`.trim();
    this.listeners.onDown({ reason, retryAtMs: Date.now() + delayMs });
  }

  private keep(child: ChildProcess): void {
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
  }

  private endAll(): void {
    this.isUp = false;
    this.connection?.close();
    this.connection = null;
    for (const child of this.children) child.kill();
    this.children.clear();
  }

  private throwIfClosed(): void {
    if (this.closed) throw new AppError('CANCELLED', 'The attempt to connect was given up.');
  }
}

/** Once the tunnel leads to an engine that knows the token. @param throwFault throws what has gone wrong meanwhile */
async function connectWhenReady(
  engine: { origin: string; token: string },
  onClosed: () => void,
  throwFault: () => void,
): Promise<EngineConnection> {
  for (const endMs = Date.now() + readyTimeoutMs; ;) {
    throwFault();
    try {
      return await connectEngine(engine, () => undefined, onClosed);
    } catch (error) {
      if (error instanceof AppError || Date.now() > endMs) throw error;
      await new Promise((wake) => setTimeout(wake, lookEveryMs));
    }
  }
}

/** `wanted` when no program has it here, else any. (On the same port the address is the one that was printed there.) */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', () => (wanted === 0 ? reject(new Error('No port is free.')) : resolve(freePort(0))));
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
