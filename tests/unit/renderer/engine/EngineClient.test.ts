/** The page's client against the engine's real server, over a real socket. */
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineEvent, EngineFunctions } from '../../../../main/contract/api.ts';
import type { AppError } from '../../../../main/contract/errors.ts';
import { webSocketPath } from '../../../../main/contract/wire.ts';
import { startServer, type EngineServer } from '../../../../main/server.ts';
import { EngineClient, type ConnectionState } from '../../../../renderer/engine/EngineClient.ts';

const token = 'right';
const clients: EngineClient[] = [];
const servers: EngineServer[] = [];
let publish: (event: EngineEvent) => void = () => undefined;

async function serve(call: EngineFunctions['call'], port = 0): Promise<EngineServer> {
  const server = await startServer({
    port,
    staticFolder: '/nonexistent',
    token,
    engineId: 'test',
    version: '0.0.0',
    call,
    subscribe: (listener) => {
      publish = listener;
      return () => undefined;
    },
  });
  servers.push(server);
  return server;
}

function connect(server: EngineServer, options: { token?: string } = {}) {
  const states: ConnectionState[] = [];
  const events: EngineEvent[] = [];
  let refusal: AppError | null = null;
  const client = new EngineClient({
    address: `ws://127.0.0.1:${server.port}${webSocketPath}`,
    token: options.token ?? token,
    onState: (state, why) => {
      states.push(state);
      refusal = why;
    },
    onReady: () => undefined,
    onEvents: (batch) => void events.push(...batch),
  });
  clients.push(client);
  return { client, states, events, refusal: () => refusal };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('Waited 5 s in vain.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.close();
});

describe('EngineClient', () => {
  it('brings a call to the engine and its answer back, also one made before the connection stands', async () => {
    const server = await serve(async (name, input) => ({ ok: true, answer: { name, input } }));
    const { client } = connect(server);
    expect(client.state).toBe('connecting');
    const answer: unknown = await client.call('studies.get', { id: 'a' });
    expect(answer).toEqual({ name: 'studies.get', input: { id: 'a' } });
  });

  it('keeps code, text, next step and details of a refusal', async () => {
    const error = { code: 'NOT_FOUND', message: 'No such study.', hint: 'Reload.', details: { id: 'a' } };
    const server = await serve(async () => ({ ok: false, error }));
    const { client } = connect(server);
    await expect(client.call('studies.get', { id: 'a' })).rejects.toMatchObject(error);
  });

  it('does not try again with a token that the engine does not take', async () => {
    const server = await serve(async () => ({ ok: true, answer: null }));
    const { client, states, refusal } = connect(server, { token: 'wrong' });
    await expect(client.call('app.state', {})).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(states).toEqual(['refused']);
    expect(refusal()?.hint).toContain('address');
  });

  it('hands events over', async () => {
    const server = await serve(async () => ({ ok: true, answer: null }));
    const { client, events } = connect(server);
    await client.call('app.state', {});
    publish({ type: 'checkpoints' });
    await until(() => events.length === 1);
    expect(events).toEqual([{ type: 'checkpoints' }]);
  });

  it('rejects what is pending when the connection is lost, says so, and comes back by itself', async () => {
    const never = new Promise<never>(() => undefined);
    const first = await serve(() => never);
    const { client, states } = connect(first);
    const pending = client.call('app.state', {});
    const rejected = expect(pending).rejects.toMatchObject({ message: expect.stringContaining('lost') as string });
    await until(() => states.includes('open'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await first.close();
    await rejected;
    await until(() => client.state === 'lost');
    await expect(client.call('app.state', {})).rejects.toMatchObject({ code: 'INTERNAL' });

    await serve(async () => ({ ok: true, answer: 'again' }), first.port);
    await until(() => client.state === 'open');
    await expect(client.call('app.state', {})).resolves.toBe('again');
  });
});
