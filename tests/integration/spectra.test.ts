/** Comparisons through a real engine, real workers and the real kinds: along a trajectory, killed in the middle, refused. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { SpectralComparison, SpectralResult } from '../../main/contract/spectral.ts';
import { writeCheckpoint } from '../../main/ml/checkpoints/writeCheckpoint.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';
import { weightsAt, writeTrajectory } from './trajectory.ts';

const steps = [10, 20, 30];
const total = 4 * 6 * steps.length;
const matrixEvents = /"type":"matrix"/g;

interface Lab {
  data: string;
  client: EngineClient;
  referenceId: string;
  targetIds: string[];
}

async function open(checkpoints: string): Promise<Lab> {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data, {}, process.env);
  const client = await connect(engine.listening);
  const ids = async (path: string): Promise<string[]> =>
    (await client.call('checkpoints.import', { paths: [path] })).map(({ checkpointId }) => checkpointId!);
  const [referenceId] = await ids(join(checkpoints, 'base'));
  const targetIds: string[] = [];
  for (const step of steps) targetIds.push(...(await ids(join(checkpoints, 'run', `checkpoint-${step}`))));
  return { data, client, referenceId: referenceId!, targetIds };
}

const settled = (client: EngineClient, id: string): Promise<SpectralResult> =>
  until(
    () => client.call('spectra.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
    60_000,
  );

/** Rows without what differs from run to run. */
const numbers = ({ rows }: SpectralResult): unknown => rows.map((row) => row.map(({ durationMs: _, ...rest }) => rest));

async function startOrder({ client, referenceId, targetIds }: Lab, more: object = {}): Promise<SpectralComparison> {
  return client.call('spectra.start', { referenceId, targetIds, ...more });
}

describe.skipIf(process.platform !== 'linux')('a comparison along a trajectory', () => {
  test(
    'killed in the middle it goes on, and ends with the rows of one never killed',
    { timeout: 120_000 },
    async () => {
      const checkpoints = await temporaryFolder();
      await writeTrajectory(checkpoints, steps);
      const whole = await open(checkpoints);
      const reference = await settled(whole.client, (await startOrder(whole)).id);
      expect(reference).toMatchObject({ state: 'succeeded', done: total, total });
      expect(reference.targets.map(({ step }) => step)).toEqual(steps);
      expect(reference.rows.map((row) => row.length)).toEqual([24, 24, 24]);
      for (const [t, row] of reference.rows.entries()) {
        expect(row.map(({ layer }) => layer)).toEqual(
          [0, 1, 2, 3].flatMap((layer) => Array(6).fill(layer) as number[]),
        );
        for (const { relativeChange } of row) expect(relativeChange).toBeCloseTo(steps[t]! / 1000, 2);
      }

      const killed = await open(checkpoints);
      const { id } = await startOrder(killed);
      const folder = join(killed.data, 'jobs', id);
      let kills = 0;
      for (const share of [0.2, 0.6]) {
        const { done, state } = await until(
          () => killed.client.call('spectra.get', { id }),
          (view) => view.done >= share * total || view.state === 'succeeded',
        );
        if (state === 'succeeded') break;
        expect(done).toBeLessThan(total);
        const { pid } = JSON.parse(readFileSync(join(folder, 'worker.json'), 'utf8')) as { pid: number };
        process.kill(pid, 'SIGKILL');
        kills++;
        const stopped = await settled(killed.client, id);
        expect(stopped.state).toBe('interrupted');
        const again = await startOrder(killed);
        expect(again.id).toBe(id);
        expect(again.done).toBeGreaterThanOrEqual(done);
      }
      expect(kills).toBeGreaterThan(0);
      const result = await settled(killed.client, id);
      expect(result).toMatchObject({ state: 'succeeded', done: total, total });
      expect(numbers(result)).toEqual(numbers(reference));
      // nothing that was done is done again: a kill loses what was under way
      const { lines, matrices } = countEvents(folder);
      expect(matrices, lines).toBe(total);
      // found again as it is
      expect((await startOrder(killed)).state).toBe('succeeded');
      expect(await killed.client.call('spectra.list', {})).toHaveLength(1);
    },
  );

  test('refuses what does not fit before it starts, and names a weight that is not finite', async () => {
    const checkpoints = await temporaryFolder();
    await writeTrajectory(checkpoints, steps);
    const other = join(checkpoints, 'other');
    const weights = weightsAt(5);
    const [q, down] = ['model.layers.0.self_attn.q_proj.weight', 'model.layers.3.mlp.down_proj.weight'];
    weights.set(q, { shape: [48, 192], data: weights.get(q)!.data });
    await writeCheckpoint(other, { config: {}, weights });
    const lab = await open(checkpoints);
    const { client, referenceId } = lab;
    const importOne = async (path: string): Promise<string> =>
      (await client.call('checkpoints.import', { paths: [path] }))[0]!.checkpointId!;
    const order = async (targetId: string, more: object = {}): Promise<SpectralComparison> =>
      client.call('spectra.start', { referenceId, targetIds: [targetId], ...more });
    const misshapen = await importOne(other);
    await expect(order(misshapen)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH', details: { weight: q } });
    await expect(order(misshapen)).rejects.toThrow(/\[96, 96\] in "base" and \[48, 192\] in "other"/);

    weights.delete(q);
    const without = join(checkpoints, 'without');
    await writeCheckpoint(without, { config: {}, weights });
    const incomplete = await importOne(without);
    await expect(order(incomplete)).rejects.toMatchObject({ code: 'NOT_FOUND', details: { weight: q } });
    // the other way round it is a weight too many
    await expect(
      client.call('spectra.start', { referenceId: incomplete, targetIds: [referenceId] }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', details: { weight: q } });
    await expect(order(incomplete, { settings: { layers: [9] } })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await client.call('spectra.list', {})).toEqual([]);

    const broken = weightsAt(7);
    broken.get(down)!.data[11] = NaN;
    await writeCheckpoint(join(checkpoints, 'broken'), { config: {}, weights: broken });
    const { id } = await order(await importOne(join(checkpoints, 'broken')));
    const failed = await settled(client, id);
    expect(failed.state).toBe('failed');
    const { error } = await client.call('jobs.get', { id });
    expect(error).toMatchObject({ code: 'NOT_FINITE' });
    expect(error!.message).toContain(down);
    // the matrices before it are there
    expect(failed.done).toBeGreaterThan(10);
  });

  test('answers curves, estimates with what is on the disk, cancels, and comes back from the trash', async () => {
    const checkpoints = await temporaryFolder();
    await writeTrajectory(checkpoints, steps);
    const lab = await open(checkpoints);
    const { client, data, referenceId, targetIds } = lab;
    const order = { referenceId, targetIds: [targetIds[0]!], restorationId: targetIds[2]! };
    const fresh = await client.call('spectra.estimate', order);
    expect(fresh).toMatchObject({ matrices: 24, cached: 0 });
    expect(fresh.durationMs).toBeGreaterThan(0);
    const { id } = await client.call('spectra.start', order);
    const result = await settled(client, id);
    const weight = 'model.layers.1.mlp.up_proj.weight';
    const { summary, curves } = await client.call('spectra.matrix', { id, target: 0, weight });
    expect(summary).toEqual(result.rows[0]!.find((row) => row.weight === weight));
    expect(curves.sReference).toHaveLength(96);
    expect(curves.rightRad).toHaveLength(48);
    // the run goes one way
    expect(summary.restorationCosine).toBeCloseTo(1, 5);
    await until(
      () => client.call('checkpoints.list', {}),
      (list) => list.every(({ contentHash }) => contentHash !== null),
    );
    expect(await client.call('spectra.estimate', order)).toMatchObject({ matrices: 24, cached: 48 });
    expect(await client.call('spectra.estimate', { ...order, settings: { precision: 'float64' } })).toMatchObject({
      cached: 0,
    });

    await rm(join(data, 'jobs', id, 'matrices'), { recursive: true });
    await expect(client.call('spectra.matrix', { id, target: 0, weight })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('start it again') as string,
    });
    await expect(client.call('spectra.matrix', { id, target: 1, weight })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await client.call('spectra.remove', { id });
    expect(await client.call('spectra.list', {})).toEqual([]);
    expect(await client.call('spectra.restore', { id })).toMatchObject({ id, done: 24 });
    expect(await client.call('spectra.list', {})).toHaveLength(1);
    await expect(client.call('spectra.get', { id: 'absent' })).rejects.toMatchObject({ code: 'NOT_FOUND' });

    const long = await startOrder(lab, { settings: { precision: 'float64' } });
    await client.call('jobs.cancel', { id: long.id });
    const cancelled = await settled(client, long.id);
    expect(cancelled.state).toBe('cancelled');
    expect((await startOrder(lab, { settings: { precision: 'float64' } })).id).toBe(long.id);
    expect(await settled(client, long.id)).toMatchObject({ state: 'succeeded', done: total });
  });
});

function countEvents(folder: string): { lines: string; matrices: number } {
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8');
  return { lines: lines.slice(0, 2000), matrices: [...lines.matchAll(matrixEvents)].length };
}
