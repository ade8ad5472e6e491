/** The command line's end of the wire: the same calls and events as a page has. */
import { createBirpc } from 'birpc';
import { WebSocket } from 'ws';
import { calls } from '../contract/api.ts';
import type { CallAnswer, CallInput, CallName, EngineEvent, EngineFunctions, ViewFunctions } from '../contract/api.ts';
import { AppError } from '../contract/errors.ts';
import type { AppErrorShape } from '../contract/errors.ts';
import { errorShapeSchema } from '../contract/events.ts';
import { closeCodes, readReady, webSocketPath } from '../contract/wire.ts';
import type { Hello } from '../contract/wire.ts';

const connectTimeoutMs = 10_000;

export interface EngineClient {
  engineId: string;
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>>;
  /** Resolves when the connection has ended, whoever ended it. */
  closed: Promise<void>;
  close(): void;
}

export interface ClientOptions {
  port: number;
  token: string;
  onEvents?(events: EngineEvent[]): void;
  /** Sent as Origin; none by default, as a command line has none. */
  origin?: string;
  /** What to do when nobody answers, or when the connection is lost. */
  nextStep?: string;
}

function thrown(error: unknown): AppError {
  const shape = errorShapeSchema.parse(error) as AppErrorShape;
  const { hint, details, cause } = shape;
  return new AppError(shape.code, shape.message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    cause,
  });
}

/** @throws UNAUTHORIZED wrong token or Origin; CONFLICT another contract; NOT_FOUND nobody answers there */
function handshake(options: ClientOptions): Promise<{ socket: WebSocket; engineId: string }> {
  const { port, token, origin, nextStep = 'Start it.' } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${webSocketPath}`, {
    handshakeTimeout: connectTimeoutMs,
    ...(origin === undefined ? {} : { origin }),
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', token } satisfies Hello)));
    socket.once('message', (data: Buffer) => {
      try {
        resolve({ socket, engineId: readReady(data.toString()).engineId });
      } catch (error) {
        if (error instanceof Error) reject(error);
        socket.terminate();
      }
    });
    socket.once('unexpected-response', (_, response) => {
      reject(new AppError('UNAUTHORIZED', `The engine refused the connection (${response.statusCode ?? '?'}).`));
      socket.terminate();
    });
    socket.once('close', (code: number) => {
      const refused = code === closeCodes.unauthorized;
      reject(
        refused
          ? new AppError('UNAUTHORIZED', 'The engine refused the token.', { hint: 'Open the address it printed.' })
          : new AppError('INTERRUPTED', 'The engine ended the connection.', { hint: 'Try again.' }),
      );
    });
    socket.on('error', (cause) => {
      reject(new AppError('NOT_FOUND', `No engine answers on port ${port}.`, { hint: nextStep, cause }));
    });
  });
}

/** Connects and authenticates. @throws UNAUTHORIZED, CONFLICT, NOT_FOUND, INTERRUPTED */
export async function connectEngine(options: ClientOptions): Promise<EngineClient> {
  const { socket, engineId } = await handshake(options);
  const functions: ViewFunctions = { onEvents: (events) => options.onEvents?.(events) };
  const rpc = createBirpc<EngineFunctions, ViewFunctions>(functions, {
    post: (message: string) => socket.send(message),
    on: (listener) => void socket.on('message', (data: Buffer) => listener(data.toString())),
    serialize: JSON.stringify,
    deserialize: (text: string) => JSON.parse(text) as unknown,
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // A call under way must not hang when the engine goes, and a later one says the same.
  const { nextStep = 'Start it again.' } = options;
  const gone = new AppError('INTERRUPTED', 'The connection to the engine is gone.', { hint: nextStep });
  void closed.then(() => rpc.$close(gone));
  return {
    engineId,
    closed,
    close: () => socket.close(),
    call: async <N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>> => {
      if (rpc.$closed) throw gone;
      const answer = await rpc.call(name, input);
      if (!answer.ok) throw thrown(answer.error);
      return calls[name].output.parse(answer.answer) as CallAnswer<N>;
    },
  };
}
