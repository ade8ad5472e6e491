/**
 * The page's end of the wire: one WebSocket to the engine, birpc over it, typed calls.
 *
 * First message: the token; the engine answers `ready` (contract/wire.ts). Then birpc in JSON. A lost connection rejects what is pending with a clear error and is tried again with
 * back-off; whoever listens to `onOpen` asks for what it missed.
 */
import { createBirpc, type BirpcReturn } from 'birpc';
import type {
  CallAnswer,
  CallInput,
  CallName,
  EngineEvent,
  EngineFunctions,
  ViewFunctions,
} from '../../main/contract/api.ts';
import { closeCodes, type Hello, type Ready } from '../../main/contract/wire.ts';
import { AppError, errorCodes, type AppErrorShape, type ErrorCode } from '../../main/contract/errors.ts';

/** `refused`: the engine does not take this page's token; trying again would not help. */
export type ConnectionState = 'connecting' | 'open' | 'lost' | 'refused';

/** Waiting times between attempts, ms; the last one repeats. */
export const reconnectDelaysMs = [250, 500, 1000, 2000, 4000, 8000];

/** The banner says that the connection is lost: what the page asked by itself need not say it again. */
export class ConnectionLostError extends AppError {
  constructor() {
    super('INTERNAL', 'The connection to the engine was lost before it answered.', {
      hint: 'The page reconnects by itself. Try again once the notice at the top is gone.',
    });
  }
}

/** An error as it came over the wire, as an AppError with its code, text and next step. */
export function fromErrorShape(shape: unknown): AppError {
  const { code, message, hint, details, cause } = (shape ?? {}) as Partial<AppErrorShape>;
  const known = (errorCodes as readonly string[]).includes(code ?? '');
  return new AppError(known ? (code as ErrorCode) : 'INTERNAL', message ?? 'The engine refused without a reason.', {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    ...(cause === undefined ? {} : { cause: new Error(cause) }),
  });
}

export interface EngineClientOptions {
  /** ws: or wss: address of the engine. */
  address: string;
  token: string;
  onState(state: ConnectionState, refusal: AppError | null): void;
  onReady(ready: Ready): void;
  onEvents(events: EngineEvent[]): void;
}

export class EngineClient {
  readonly #options: EngineClientOptions;
  #socket: WebSocket | null = null;
  #rpc: BirpcReturn<EngineFunctions, ViewFunctions> | null = null;
  #receive: (message: string) => void = () => undefined;
  #state: ConnectionState = 'connecting';
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #waiting: { resolve: () => void; reject: (error: AppError) => void }[] = [];
  #closed = false;

  constructor(options: EngineClientOptions) {
    this.#options = options;
    this.#connect();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** @throws AppError of the engine, or ConnectionLostError. */
  async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>> {
    await this.#opened();
    const rpc = this.#rpc;
    if (rpc === null) throw new ConnectionLostError();
    const reply = await rpc.call(name, input);
    if (reply.ok) return reply.answer as CallAnswer<N>;
    throw fromErrorShape(reply.error);
  }

  /** Tries at once instead of waiting for the next attempt. */
  reconnectNow(): void {
    if (this.#state !== 'lost' || this.#closed) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#socket?.close();
  }

  /** Resolves when the first connection stands; rejects at once while a lost one is being restored. */
  #opened(): Promise<void> {
    if (this.#state === 'open') return Promise.resolve();
    if (this.#state !== 'connecting') return Promise.reject(new ConnectionLostError());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #setState(state: ConnectionState, refusal: AppError | null = null): void {
    this.#state = state;
    const waiting = this.#waiting;
    if (state !== 'connecting') this.#waiting = [];
    if (state === 'open') for (const { resolve } of waiting) resolve();
    if (state === 'lost' || state === 'refused')
      for (const { reject } of waiting) reject(refusal ?? new ConnectionLostError());
    this.#options.onState(state, refusal);
  }

  #connect(): void {
    this.#retry = null;
    const socket = new WebSocket(this.#options.address);
    this.#socket = socket;
    let welcomed = false;
    const hello: Hello = { type: 'hello', token: this.#options.token };
    socket.addEventListener('open', () => socket.send(JSON.stringify(hello)));
    socket.addEventListener('message', ({ data }) => {
      if (welcomed) return this.#receive(String(data));
      const ready = JSON.parse(String(data)) as Ready;
      welcomed = true;
      this.#attempts = 0;
      this.#talk(socket);
      this.#options.onReady(ready);
      this.#setState('open');
    });
    socket.addEventListener('close', ({ code }) => this.#lose(socket, code));
  }

  #talk(socket: WebSocket): void {
    this.#rpc = createBirpc<EngineFunctions, ViewFunctions>(
      { onEvents: (events) => this.#options.onEvents(events) },
      {
        post: (message: string) => socket.send(message),
        serialize: JSON.stringify,
        deserialize: (text: string) => JSON.parse(text) as unknown,
        on: (receive) => void (this.#receive = receive),
        // Calls are short, and a lost connection rejects them: a timer would only add a second, vaguer error.
        timeout: -1,
      },
    );
  }

  #refuse(error: AppError): void {
    this.#closed = true;
    this.#socket?.close();
    this.#setState('refused', error);
  }

  #lose(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    // Rejects what is pending.
    this.#rpc?.$close(new ConnectionLostError());
    this.#rpc = null;
    if (code === closeCodes.unauthorized && !this.#closed) {
      const text = 'The engine does not accept the token of this page.';
      const hint = 'Open the address that the engine printed when it started.';
      return this.#refuse(new AppError('UNAUTHORIZED', text, { hint }));
    }
    if (this.#closed) return;
    const delayMs = reconnectDelaysMs[Math.min(this.#attempts, reconnectDelaysMs.length - 1)]!;
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), delayMs);
    this.#setState('lost');
  }
}
