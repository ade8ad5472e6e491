/**
 * One short call to the engine over its WebSocket, as any view makes it. The shell asks little (are jobs running?), so
 * it opens a connection, asks and closes.
 */
import { createBirpc } from 'birpc';
import WebSocket from 'ws';
import type { CallAnswer, CallInput, CallName, EngineFunctions } from '../main/contract/api.ts';
import type { Listening } from '../main/contract/wire.ts';

/** The engine answers within milliseconds; one that does not is not waited for when quitting. */
const answerTimeoutMs = 3000;

/** @throws when the engine refuses, fails or does not answer within 3 s */
export function callEngine<N extends CallName>(
  engine: Pick<Listening, 'origin' | 'token'>,
  name: N,
  input: CallInput<N>,
): Promise<CallAnswer<N>> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${engine.origin.replace(/^http/, 'ws')}/engine`, { origin: engine.origin });
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`The engine did not answer within ${answerTimeoutMs / 1000} s.`)));
    }, answerTimeoutMs);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', token: engine.token })));
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once('close', (code) => finish(() => reject(new Error(`The engine closed the connection (${code}).`))));
    socket.once('message', () => {
      const remote = createBirpc<EngineFunctions>(
        { onEvents: () => undefined },
        {
          post: (message: string) => socket.send(message),
          on: (listener) => socket.on('message', (data: Buffer) => listener(data.toString('utf8'))),
          serialize: (message) => JSON.stringify(message),
          deserialize: (text) => JSON.parse(String(text)) as unknown,
        },
      );
      remote.call(name, input).then(
        (reply) =>
          finish(() => {
            if (reply.ok) resolve(reply.answer as CallAnswer<N>);
            else reject(new Error((reply.error as { message?: string }).message ?? 'The engine refused the call.'));
          }),
        (error: unknown) => finish(() => reject(error instanceof Error ? error : new Error(String(error)))),
      );
    });
  });
}

/** Jobs that quitting would interrupt. An engine that does not answer has none to ask about. */
export async function runningJobs(engine: Pick<Listening, 'origin' | 'token'>): Promise<number> {
  try {
    const jobs = await callEngine(engine, 'jobs.list', { limit: 500 });
    return jobs.filter((job) => job.state === 'running').length;
  } catch {
    return 0;
  }
}
