/** One view's WebSocket: token first, then calls in and events out. */
import { timingSafeEqual, createHash } from 'node:crypto';
import { createBirpc } from 'birpc';
import type { WebSocket } from 'ws';
import type { EngineEvent, EngineFunctions, ViewFunctions } from '../contract/api.ts';
import { closeCodes, contractVersion, helloSchema } from '../contract/wire.ts';
import type { Ready } from '../contract/wire.ts';

/** A view has this long to say its token. */
const authenticationTimeoutMs = 5000;
/** Events are pushed at most this often, in one message. */
const batchIntervalMs = 50;
/** A view that reads nothing is dropped before its events fill the memory, bytes. */
const maxBufferedBytes = 64 * 1024 * 1024;

/** Equal or not, in a time that does not depend on where they differ. */
function isSameToken(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function isRightHello(data: string, token: string): boolean {
  try {
    const hello = helloSchema.safeParse(JSON.parse(data));
    return hello.success && isSameToken(hello.data.token, token);
  } catch {
    return false;
  }
}

/** Newest state wins: one message in a batch for each job, study, comparison and sweep. Tokens of an answer are no state: all of them stay. */
function keyOf(event: EngineEvent): string {
  if (event.type === 'job') return `job ${event.job.id}`;
  if (event.type === 'answer') return `answer ${event.ask} ${event.at}`;
  return 'id' in event ? `${event.type} ${event.id}` : event.type;
}

function coalesce(events: EngineEvent[]): EngineEvent[] {
  const byKey = new Map<string, EngineEvent>();
  for (const event of events) {
    const key = keyOf(event);
    byKey.delete(key);
    byKey.set(key, event);
  }
  return [...byKey.values()];
}

export interface ConnectionOptions {
  token: string;
  engineId: string;
  /** Of this program. */
  version: string;
  call: EngineFunctions['call'];
  /** @returns what stops the subscription */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}

/** Takes over a socket whose Host and Origin have been checked. */
export function serveConnection(socket: WebSocket, options: ConnectionOptions): void {
  const timer = setTimeout(() => socket.close(closeCodes.unauthorized, 'No token in time'), authenticationTimeoutMs);
  socket.on('error', () => socket.terminate());
  socket.once('close', () => clearTimeout(timer));
  socket.once('message', (data: Buffer) => {
    clearTimeout(timer);
    if (!isRightHello(data.toString(), options.token)) {
      socket.close(closeCodes.unauthorized, 'Wrong token');
      return;
    }
    const { engineId, version } = options;
    const ready: Ready = { type: 'ready', contractVersion, engineId, version };
    socket.send(JSON.stringify(ready));
    startRpc(socket, options);
  });
}

function startRpc(socket: WebSocket, options: ConnectionOptions): void {
  const functions: EngineFunctions = { call: (name, input) => options.call(name, input) };
  const rpc = createBirpc<ViewFunctions, EngineFunctions>(functions, {
    post: (message: string) => {
      if (socket.readyState === socket.OPEN) socket.send(message);
    },
    on: (listener) => void socket.on('message', (data: Buffer) => listener(data.toString())),
    serialize: JSON.stringify,
    deserialize: (text: string) => JSON.parse(text) as unknown,
    eventNames: ['onEvents'],
    // A message that is not ours: the peer is broken, and must not take the engine along.
    onGeneralError: () => (socket.close(1002, 'Not understood'), true),
  });
  let pending: EngineEvent[] = [];
  let flushTimer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    flushTimer = null;
    if (socket.bufferedAmount > maxBufferedBytes) {
      socket.terminate();
      return;
    }
    const events = coalesce(pending);
    pending = [];
    void rpc.onEvents.asEvent(events);
  };
  const unsubscribe = options.subscribe((event) => {
    pending.push(event);
    flushTimer ??= setTimeout(flush, batchIntervalMs);
  });
  socket.once('close', () => {
    unsubscribe();
    if (flushTimer) clearTimeout(flushTimer);
    rpc.$close();
  });
}
