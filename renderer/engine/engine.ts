/** The one connection of this page, and the fan-out of its events, once a frame. */
import type { CallAnswer, CallInput, CallName, EngineEvent } from '../../main/contract/api.ts';
import { AppError } from '../../main/contract/errors.ts';
import { webSocketPath, type Ready } from '../../main/contract/wire.ts';
import { EngineClient, type ConnectionState } from './EngineClient.ts';

type StateListener = (state: ConnectionState, refusal: AppError | null) => void;
type EventListener = (event: EngineEvent) => void;

const stateListeners = new Set<StateListener>();
const eventListeners = new Set<EventListener>();
let client: EngineClient | null = null;
let queue: EngineEvent[] = [];
let scheduled = false;

function flush(): void {
  scheduled = false;
  const events = queue;
  queue = [];
  for (const event of events) for (const listener of eventListeners) listener(event);
}

function enqueue(events: EngineEvent[]): void {
  queue.push(...events);
  if (scheduled) return;
  scheduled = true;
  // A hidden page gets no frames; it still has to keep its queue short.
  if (document.hidden) setTimeout(flush, 500);
  else requestAnimationFrame(flush);
}

let contractVersion: number | null = null;
/** An engine of another version came back at the same address: it serves a page that speaks its contract. */
function reloadWhenReplaced(ready: Ready): void {
  contractVersion ??= ready.contractVersion;
  if (contractVersion !== ready.contractVersion) window.location.reload();
}

export function connectEngine(token: string): void {
  const scheme = window.location.protocol === 'https:' ? 'wss:' : 'ws:';
  client = new EngineClient({
    address: `${scheme}//${window.location.host}${webSocketPath}`,
    token,
    onState: (state, refusal) => stateListeners.forEach((listener) => listener(state, refusal)),
    onReady: reloadWhenReplaced,
    onEvents: enqueue,
  });
}

export function onConnectionState(listener: StateListener): void {
  stateListeners.add(listener);
}

export function onEngineEvent(listener: EventListener): void {
  eventListeners.add(listener);
}

export function reconnectNow(): void {
  client?.reconnectNow();
}

/** @throws AppError with the fact and the next step. */
export async function call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>> {
  if (client === null) throw new AppError('INTERNAL', 'The page has not connected to the engine yet.');
  return client.call(name, input);
}
