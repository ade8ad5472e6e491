/**
 * The shell's end of the wire, as any view has it: one WebSocket to the engine, birpc over it. A short question opens a
 * connection of its own (`callEngine`); what follows the jobs keeps one open (`connectEngine`).
 */
import { createBirpc } from 'birpc';
import WebSocket from 'ws';
import type {
  CallAnswer,
  CallInput,
  CallName,
  EngineEvent,
  EngineFunctions,
  Job,
  ViewFunctions,
} from '../main/contract/api.ts';
import { readReady } from '../main/contract/wire.ts';
import type { Listening } from '../main/contract/wire.ts';

export type EngineAddress = Pick<Listening, 'origin' | 'token'>;

export interface EngineConnection {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>>;
  close(): void;
}

/** The engine answers within milliseconds; one that does not is not waited for when quitting. */
const answerTimeoutMs = 3000;

/**
 * @param onEvents what the engine pushes
 * @param onClosed once, when a connection that stood is lost; not after `close`
 * @throws when the engine refuses the connection, or has another contract (CONFLICT)
 */
export function connectEngine(
  engine: EngineAddress,
  onEvents: (events: EngineEvent[]) => void,
  onClosed: () => void,
): Promise<EngineConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${engine.origin.replace(/^http/, 'ws')}/engine`, { origin: engine.origin });
    let stands = false;
    socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', token: engine.token })));
    socket.on('error', reject);
    socket.once('close', (code) => {
      if (stands) onClosed();
      else reject(new Error(`The engine closed the connection (${code}).`));
    });
    socket.once('message', (first: Buffer) => {
      try {
        readReady(first.toString('utf8'));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        socket.terminate();
        return;
      }
      stands = true;
      const remote = createBirpc<EngineFunctions, ViewFunctions>(
        { onEvents },
        {
          post: (message: string) => socket.send(message),
          on: (listener) => socket.on('message', (data: Buffer) => listener(data.toString('utf8'))),
          serialize: (message) => JSON.stringify(message),
          deserialize: (text) => JSON.parse(String(text)) as unknown,
          timeout: answerTimeoutMs,
        },
      );
      resolve({
        async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>> {
          const reply = await remote.call(name, input);
          if (reply.ok) return reply.answer as CallAnswer<N>;
          throw new Error((reply.error as { message?: string }).message ?? 'The engine refused the call.');
        },
        close: () => {
          stands = false;
          socket.close();
        },
      });
    });
  });
}

/** @throws when the engine refuses, fails or does not answer within 3 s */
export async function callEngine<N extends CallName>(
  engine: EngineAddress,
  name: N,
  input: CallInput<N>,
): Promise<CallAnswer<N>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`The engine did not answer within ${answerTimeoutMs / 1000} s.`);
    timer = setTimeout(reject, answerTimeoutMs, error);
  });
  const ignore = (): void => undefined;
  const connecting = connectEngine(engine, ignore, ignore);
  try {
    return await Promise.race([connecting.then((connection) => connection.call(name, input)), late]);
  } finally {
    clearTimeout(timer);
    connecting.then((connection) => connection.close(), ignore);
  }
}

/** Jobs that quitting would interrupt. An engine that does not answer has none to ask about. */
export async function runningJobs(engine: EngineAddress): Promise<Job[]> {
  try {
    return (await callEngine(engine, 'jobs.list', { limit: 500 })).filter((job) => job.state === 'running');
  } catch {
    return [];
  }
}

/** Ends these jobs, and the studies they belong to with all that those would start next. */
export async function cancelJobs(engine: EngineAddress, jobs: readonly Job[]): Promise<void> {
  const studies = new Set(jobs.flatMap(({ studyId }) => (studyId === null ? [] : [studyId])));
  await Promise.all([
    ...[...studies].map((id) => callEngine(engine, 'studies.cancel', { id })),
    ...jobs.filter(({ studyId }) => studyId === null).map(({ id }) => callEngine(engine, 'jobs.cancel', { id })),
  ]);
}
