/** The engine's address: who is let in, who is not, and what a page may do. Each check with both outcomes. */
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { connectEngine } from '../../main/api/engineClient.ts';
import type { AppError } from '../../main/contract/errors.ts';
import { closeCodes, webSocketPath } from '../../main/contract/wire.ts';
import { startEngine } from '../../main/engine.ts';
import type { Engine } from '../../main/engine.ts';
import { temporaryFolder, until } from './engineProcess.ts';

process.env['NODE_ENV'] = 'test';

async function open(options: { rendererFolder?: string; dataFolder?: string } = {}): Promise<Engine> {
  const dataFolder = options.dataFolder ?? (await temporaryFolder());
  const engine = await startEngine({ dataFolder, rendererFolder: options.rendererFolder });
  onTestFinished(() => engine.stop());
  return engine;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}
function get(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => (body += piece.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

/** What a socket came to: the HTTP status that refused it, or the code that closed it after `messages`. */
function socketEnd(port: number, headers: Record<string, string>, messages: string[]): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${webSocketPath}`, { headers });
  return new Promise((resolve) => {
    socket.on('open', () => messages.forEach((message) => socket.send(message)));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode!));
    socket.on('message', () => {
      resolve(0);
      socket.close();
    });
    socket.on('close', (code) => resolve(code));
    socket.on('error', () => undefined);
  });
}
const hello = (token: string): string => JSON.stringify({ type: 'hello', token });

test('the right token opens, a wrong, missing or malformed one does not', async () => {
  const { listening } = await open();
  const { port, token } = listening;
  expect(await socketEnd(port, {}, [hello(token)])).toBe(0);
  const wrong = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
  for (const message of [hello(wrong), hello(''), '{}', 'not json', JSON.stringify({ t: 'q', m: 'call', a: [] })])
    expect(await socketEnd(port, {}, [message])).toBe(closeCodes.unauthorized);
});

test('a socket that says nothing is closed after five seconds', async () => {
  const { listening } = await open();
  const startMs = Date.now();
  expect(await socketEnd(listening.port, {}, [])).toBe(closeCodes.unauthorized);
  expect(Date.now() - startMs).toBeGreaterThan(4000);
});

test('our own page is let in, another origin or another host is not, before any token', async () => {
  const { listening } = await open();
  const { port, token } = listening;
  const own = `127.0.0.1:${port}`;
  expect(await socketEnd(port, { Origin: `http://${own}` }, [hello(token)])).toBe(0);
  expect(await socketEnd(port, { Host: `localhost:${port}`, Origin: `http://localhost:${port}` }, [hello(token)])).toBe(
    0,
  );
  // Behind a tunnel: the port is the one on the near machine.
  const near = `127.0.0.1:${port + 1}`;
  expect(await socketEnd(port, { Host: near, Origin: `http://${near}` }, [hello(token)])).toBe(0);
  expect((await get(port, '/', { Host: near })).headers['content-security-policy']).toContain(`ws://${near};`);
  const refused: Record<string, string>[] = [
    { Host: near, Origin: `http://${own}` },
    { Host: `127.0.0.1:${port};script-src *`, Origin: `http://127.0.0.1:${port};script-src *` },
    { Host: `127.0.0.1.evil.example:${port}` },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: `http://127.0.0.1:${port + 1}` },
    { Origin: `http://localhost:${port}` },
    { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` },
    { Host: '127.0.0.1' },
  ];
  for (const headers of refused)
    expect(await socketEnd(port, headers, [hello(token)]), JSON.stringify(headers)).toBe(403);
  expect((await get(port, '/', { Host: own })).status).not.toBe(403);
  expect((await get(port, '/', { Host: 'evil.example' })).status).toBe(403);
});

test('another path of the socket is refused', async () => {
  const { listening } = await open();
  const socket = new WebSocket(`ws://127.0.0.1:${listening.port}/other`);
  const status = await new Promise((resolve) => {
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => undefined);
  });
  expect(status).toBe(404);
});

test('calls are checked, and errors keep their code, hint and cause', async () => {
  const { listening } = await open();
  const client = await connectEngine(listening);
  onTestFinished(() => client.close());
  const state = await client.call('app.state', {});
  expect(state).toMatchObject({ contractVersion: 1, dataFolder: listening.dataFolder });
  expect(state.diskFreeBytes).toBeGreaterThan(0);
  const error = (work: Promise<unknown>): Promise<AppError> =>
    work.then(
      () => expect.fail('no error'),
      (e: AppError) => e,
    );
  expect(await error(client.call('jobs.get', { id: 'x' }))).toMatchObject({
    code: 'NOT_FOUND',
    hint: 'Reload the page.',
  });
  expect(await error(client.call('jobs.list', { limit: 0 }))).toMatchObject({ code: 'INVALID_REQUEST' });
  const unknown = 'app.unknown' as 'app.state';
  expect(await error(client.call(unknown, {}))).toMatchObject({ code: 'INVALID_REQUEST', message: /app\.unknown/ });
  for (const name of ['__proto__', 'constructor', 'toString'])
    expect(await error(client.call(name as 'app.state', {}))).toMatchObject({ code: 'INVALID_REQUEST' });
});

test('a message that is too long or not understood ends that connection only', async () => {
  const { listening } = await open();
  const { port, token } = listening;
  const tooLong = new WebSocket(`ws://127.0.0.1:${port}${webSocketPath}`);
  const code = await new Promise((resolve) => {
    tooLong.on('open', () => tooLong.send(hello(token)));
    tooLong.on('message', () => tooLong.send('x'.repeat(5 * 1024 * 1024)));
    tooLong.on('close', resolve);
    tooLong.on('error', () => undefined);
  });
  expect(code).toBe(1009);
  const garbage = new WebSocket(`ws://127.0.0.1:${port}${webSocketPath}`);
  const garbageCode = await new Promise((resolve) => {
    garbage.on('open', () => garbage.send(hello(token)));
    garbage.on('message', () => garbage.send('not json'));
    garbage.on('close', resolve);
  });
  expect(garbageCode).toBe(1002);
  expect(await socketEnd(port, {}, [hello(token)])).toBe(0);
});

test('state of the page survives; notices go when dismissed; pushes arrive', async () => {
  const { listening } = await open();
  const events: string[] = [];
  const client = await connectEngine({
    ...listening,
    onEvents: (batch) => events.push(...batch.map(({ type }) => type)),
  });
  onTestFinished(() => client.close());
  await client.call('app.setUiState', { page: 'jobs', filters: { state: ['failed'] } });
  await client.call('app.setUiState', { page: 'home' });
  expect(await client.call('app.getUiState', {})).toEqual({ page: 'home', filters: { state: ['failed'] } });
  expect((await client.call('app.diagnostics', {})).text).not.toContain(listening.token);
  const study = await client.call('studies.create', { settings: { seeds: [3] } });
  expect((await client.call('studies.create', { settings: { seeds: [3], name: 'Other name' } })).id).toBe(study.id);
  expect((await client.call('studies.create', { settings: { seeds: [3] }, new: true })).id).not.toBe(study.id);
  const { durationMs, diskBytes, jobs } = await client.call('studies.estimate', { seeds: [3] });
  expect(jobs).toBe(study.stages.length);
  expect(durationMs).toBeGreaterThan(60_000);
  expect(diskBytes).toBeGreaterThan(1e6);
  await client.call('studies.remove', { id: study.id });
  await expect(client.call('studies.get', { id: study.id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect((await client.call('studies.restore', { id: study.id })).name).toBe('Miniature study');
  await until(
    () => events,
    (types) => types.includes('study'),
  );
});

test('the page is served with a strict policy, and nothing outside its folder', async () => {
  const folder = await temporaryFolder();
  const root = join(folder, 'renderer');
  await mkdir(join(root, 'assets'), { recursive: true });
  await writeFile(join(root, 'index.html'), '<!doctype html>page');
  await writeFile(join(root, 'assets', 'main-1a2b.js'), 'export {};');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await symlink(join(folder, 'secret.txt'), join(root, 'link.txt'));
  const { listening } = await open({ rendererFolder: root });
  const { port } = listening;
  for (const path of ['/', '/studies/123', '/jobs?x=1']) {
    const page = await get(port, path);
    expect(page).toMatchObject({ status: 200, body: '<!doctype html>page' });
    const policy = String(page.headers['content-security-policy']).split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'self'", "script-src 'self'", "style-src 'self'"]));
    expect(policy).toEqual(expect.arrayContaining(["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]));
    expect(policy.join()).not.toMatch(/unsafe|\*/);
    expect(page.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    expect(page.headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(page.headers['cross-origin-resource-policy']).toBe('same-origin');
  }
  const script = await get(port, '/assets/main-1a2b.js');
  expect(script).toMatchObject({ status: 200, body: 'export {};' });
  expect(script.headers['content-type']).toMatch(/^text\/javascript/);
  const outside = [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/link.txt',
  ];
  for (const path of [...outside, '/assets/%00.js', '/%zz.js', '//etc/hosts.txt']) {
    const answer = await get(port, path);
    expect(answer.status, path).toBe(404);
    expect(answer.body).not.toContain('secret');
  }
  expect((await get(port, '/', {}, 'POST')).status).toBe(405);
});

test('without a built page it says how to build one', async () => {
  const { listening } = await open({ rendererFolder: await temporaryFolder() });
  const page = await get(listening.port, '/');
  expect(page.status).toBe(503);
  expect(page.body).toContain('npm run build');
});

test('port and token survive a restart; the file that holds them is for the user only', async () => {
  const dataFolder = await temporaryFolder();
  const first = await startEngine({ dataFolder });
  await first.stop();
  const second = await open({ dataFolder });
  expect(second.listening).toMatchObject({ port: first.listening.port, token: first.listening.token });
  expect((await stat(join(dataFolder, 'engine.json'))).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(join(dataFolder, 'engine.json'), 'utf8'))).toMatchObject({ pid: process.pid });
});

test('a second engine on the same folder is refused and told where the first answers', async () => {
  const dataFolder = await temporaryFolder();
  const first = await open({ dataFolder });
  const refused = await startEngine({ dataFolder }).catch((error: unknown) => error as AppError);
  expect(refused).toMatchObject({ code: 'ENGINE_LOCKED', details: { port: first.listening.port } });
  expect((refused as AppError).message).toContain(String(first.listening.port));
  await open();
});
