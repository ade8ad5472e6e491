/** Hidden states through a real engine, a real worker and the real kind, on the checkpoints of the sample study. */
import { cpSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { CallAnswer, CallInput } from '../../main/contract/api.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const sample = fileURLToPath(new URL('../../resources/sample-study/checkpoints/', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const timeout = 170_000;
const roles = ['base', 'peak', 'end', 'last', 'rlEnd'] as const;
type Order = CallInput<'hiddenStates.start'>;

interface Lab {
  data: string;
  client: EngineClient;
}
async function open(): Promise<Lab> {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data, {}, process.env);
  return { data, client: await connect(engine.listening) };
}
async function importFolders(client: EngineClient, paths: string[]): Promise<string[]> {
  return (await client.call('checkpoints.import', { paths })).map(({ checkpointId }) => checkpointId!);
}
async function orderOf(client: EngineClient, prompts: number): Promise<Order> {
  const ids = await importFolders(client, roles.map((role) => join(sample, `seed-0-${role}`))); // prettier-ignore
  return { checkpoints: roles.map((role, i) => ({ id: ids[i]!, label: role, role })), settings: { prompts } };
}
const settled = (client: EngineClient, id: string): Promise<CallAnswer<'hiddenStates.get'>> =>
  until(
    () => client.call('hiddenStates.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
    timeout,
  );

describe.skipIf(process.platform !== 'linux')('hidden states of the sample study', () => {
  test('one basis a split, distances with intervals, the same numbers again', { timeout }, async () => {
    const { client } = await open();
    const order = await orderOf(client, 60);
    const started = await client.call('hiddenStates.start', order);
    const { state, result, provenance, checkpoints } = await settled(client, started.id);
    expect(state).toBe('succeeded');
    expect(checkpoints.map(({ label }) => label)).toEqual(roles);
    expect(provenance).toHaveProperty('backend');
    expect(result).toMatchObject({ prompts: 60, hiddenSize: 64, farther: { from: 1, near: 2, far: 4 } });
    expect(result!.pairs).toHaveLength(10);
    expect(new Set(result!.checkpoints.map(({ contentHash }) => contentHash)).size).toBe(5);
    for (const { points, betweenSplits } of result!.checkpoints) {
      expect([points.inDist.length, points.ood.length]).toEqual([60, 60]);
      expect(betweenSplits.low).toBeGreaterThan(0);
    }
    for (const [first, second] of Object.values(result!.explained)) {
      expect(first).toBeGreaterThanOrEqual(second);
      expect(first + second).toBeLessThanOrEqual(1);
    }
    // training moves on: the last SFT checkpoint is farther from the base than the peak is
    const fromBase = (b: number): number => result!.pairs.find((pair) => pair.a === 0 && pair.b === b)!.ood.distance;
    expect(fromBase(3)).toBeGreaterThan(fromBase(1));
    // the same order, under other names, is the same job; another seed gives the same distances
    const renamed = { ...order, checkpoints: order.checkpoints.map((one) => ({ ...one, label: 'other' })) };
    expect((await client.call('hiddenStates.start', renamed)).id).toBe(started.id);
    const reseeded = await client.call('hiddenStates.start', { ...order, settings: { prompts: 60, seed: 1 } });
    expect(reseeded.id).not.toBe(started.id);
    const again = (await settled(client, reseeded.id)).result!;
    expect(again.checkpoints.map(({ points }) => points)).toEqual(result!.checkpoints.map(({ points }) => points));
    again.pairs.forEach(({ ood }, i) => {
      expect(ood.distance).toBe(result!.pairs[i]!.ood.distance);
      expect(ood.low).not.toBe(result!.pairs[i]!.ood.low);
    });
    expect((await client.call('hiddenStates.list', {})).map(({ id }) => id)).toEqual([reseeded.id, started.id]);
  });

  test('killed in the middle it asks no checkpoint twice and ends with the same numbers', { timeout }, async () => {
    const whole = await open();
    const reference = await settled(
      whole.client,
      (await whole.client.call('hiddenStates.start', await orderOf(whole.client, 40))).id,
    );
    const { client, data } = await open();
    const order = await orderOf(client, 40);
    const { id } = await client.call('hiddenStates.start', order);
    const folder = join(data, 'jobs', id);
    await until(
      () => Promise.resolve(statesIn(folder)),
      (files) => files.length >= 2,
      timeout,
    );
    const { pid } = JSON.parse(readFileSync(join(folder, 'worker.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    expect((await settled(client, id)).state).toBe('interrupted');
    const writtenMs = (name: string): number => statSync(join(folder, 'states', name)).mtimeMs;
    const before = new Map(statesIn(folder).map((name) => [name, writtenMs(name)]));
    expect((await client.call('hiddenStates.start', order)).id).toBe(id);
    expect((await settled(client, id)).result).toEqual(reference.result);
    for (const [name, timeMs] of before) expect(writtenMs(name)).toBe(timeMs);
  });

  test('a task in text is asked in the template of the checkpoint', { timeout }, async () => {
    const { client } = await open();
    const folder = await temporaryFolder();
    for (const name of ['qwen', 'same', 'other'])
      cpSync(fixture('tiny-qwen2'), join(folder, name), { recursive: true });
    const weights = join(folder, 'other', 'model.safetensors');
    const bytes = readFileSync(weights);
    // low bits of the bfloat16 numbers at the end: other weights, all of them finite
    for (let i = bytes.length - 2000; i < bytes.length; i += 2) bytes[i]! ^= 0x55;
    writeFileSync(weights, bytes);
    const paths = ['qwen', 'same', 'other'].map((name) => join(folder, name));
    const checkpoints = (await importFolders(client, paths)).map((id) => ({ id }));
    const settings = { prompts: 12, task: { name: 'rank' as const } };
    const { id } = await client.call('hiddenStates.start', { checkpoints, settings });
    const { state, result } = await settled(client, id);
    expect(state).toBe('succeeded');
    const none = { observed: 0, distance: 0, low: 0, high: 0 };
    expect(result!.pairs[0]).toEqual({ a: 0, b: 1, inDist: none, ood: none });
    expect(result!.pairs[1]!.ood.observed).toBeGreaterThan(0);
    expect(result!.checkpoints[0]!.betweenSplits.observed).toBeGreaterThan(0);
    const [llama] = await importFolders(client, [fixture('tiny-llama-end')]);
    const mixed = client.call('hiddenStates.start', { checkpoints: [checkpoints[0]!, { id: llama! }], settings });
    await expect(mixed).rejects.toMatchObject({ code: 'SHAPE_MISMATCH', message: expect.stringContaining('Qwen2') as string }); // prettier-ignore
  });

  test('a copy of a checkpoint is at distance 0; another vocabulary is refused', { timeout }, async () => {
    const { client } = await open();
    const folder = await temporaryFolder();
    cpSync(join(sample, 'seed-0-end'), join(folder, 'copy'), { recursive: true });
    const [end, copy, other] = await importFolders(client, [
      join(sample, 'seed-0-end'),
      join(folder, 'copy'),
      fixture('tiny-llama-end'),
    ]);
    const of = (...ids: string[]): Order => ({ checkpoints: ids.map((id) => ({ id })), settings: { prompts: 20 } });
    const start = async (order: Order) => settled(client, (await client.call('hiddenStates.start', order)).id);
    const none = { observed: 0, distance: 0, low: 0, high: 0 };
    const { result } = await start(of(end!, copy!));
    expect(result).toMatchObject({ pairs: [{ inDist: none, ood: none }], farther: null });
    expect(result!.checkpoints[0]).toEqual(result!.checkpoints[1]);

    const failed = await start(of(end!, other!));
    expect(failed).toMatchObject({ state: 'failed', result: null });
    const { error } = await client.call('jobs.get', { id: failed.id });
    expect(error).toMatchObject({ code: 'CHECKPOINT_UNSUPPORTED' });
    expect(error!.message).toMatch(/tiny-llama-end .*vocabulary/);
    await expect(client.call('hiddenStates.start', of(end!, end!))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(client.call('hiddenStates.start', of(end!, 'nobody'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.call('hiddenStates.get', { id: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

function statesIn(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'states')).filter((name) => name.endsWith('.f32'));
  } catch {
    return [];
  }
}
