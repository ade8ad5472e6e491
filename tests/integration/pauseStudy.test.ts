/**
 * A real SFT run that is paused, outlives a restart of the engine paused, and is resumed leaves the same numbers and the
 * same checkpoints, byte for byte, as one that was never paused; so does RL after it. Real engine, real kinds.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { Job, Study } from '../../main/contract/api.ts';
import { studySettingsSchema } from '../../main/contract/settings.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const settings = studySettingsSchema.parse({
  seeds: [3],
  task: { name: 'generalPoints3', evaluationEpisodes: 16 },
  model: { hiddenSize: 16, intermediateSize: 24, numHiddenLayers: 1 },
  pretrain: { steps: 120, batchSize: 16 },
  sft: { examples: 64, batchSize: 16, steps: 400, checkpoints: [0, 50, 100, 200, 300, 400], endStep: 200 },
  rl: {
    iterations: 6,
    rolloutSize: 16,
    minibatchSize: 16,
    evaluateEvery: 3,
    starts: [200],
    controlArms: [],
  },
  ablation: { controlReplicates: 2, interpolationAlphas: [0.5] },
});

interface Left {
  result: unknown;
  metrics: unknown;
  /** Path below the study's folder -> SHA-256 of its content. */
  weights: Record<string, string>;
  attempts: number;
}

async function stageJob(client: EngineClient, study: Study, stageId: string): Promise<Job | null> {
  const { stages } = await client.call('studies.get', { id: study.id });
  const { jobId } = stages.find(({ id }) => id === stageId)!;
  return jobId === null ? null : client.call('jobs.get', { id: jobId });
}

async function left(client: EngineClient, dataFolder: string, study: Study): Promise<Left> {
  await until(
    () => client.call('studies.get', { id: study.id }),
    ({ state }) => state === 'succeeded',
    120_000,
  );
  const { seeds, words } = await client.call('studies.result', { id: study.id });
  const { rows } = await client.call('studies.metrics', { id: study.id });
  const folder = join(dataFolder, 'studies', study.id);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.safetensors'),
  );
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  const job = await stageJob(client, study, 'seed-3.sft');
  // All but the speed, which is no number of the run.
  const numbers = rows.map(({ values: { tokensPerSecond: _, ...values }, ...row }) => ({ ...row, values }));
  const byStage = numbers.toSorted((a, b) => a.stageId.localeCompare(b.stageId) || a.step - b.step);
  return {
    result: { seeds, words },
    metrics: byStage,
    weights: Object.fromEntries(files.sort().map((name) => [name, hash(name)])),
    attempts: job!.attempt,
  };
}

test(
  'a paused and resumed study ends with the numbers and the weights of one never paused',
  { timeout: 300_000 },
  async () => {
    const folders = [await temporaryFolder(), await temporaryFolder()] as const;
    const whole = await connect((await startEngineProcess(folders[0], {}, process.env)).listening);
    const reference = await whole.call('studies.create', { settings });
    await whole.call('studies.start', { id: reference.id });
    const expected = await left(whole, folders[0], reference);

    const engine = await startEngineProcess(folders[1], {}, process.env);
    let client = await connect(engine.listening);
    const study = await client.call('studies.create', { settings });
    await client.call('studies.start', { id: study.id });
    const running = await until(
      () => stageJob(client, study, 'seed-3.sft'),
      (job) => job?.state === 'running' && (job.resumePoint?.step ?? 0) >= 100,
      60_000,
    );
    expect(await client.call('jobs.pause', { id: running!.id })).toMatchObject({
      state: 'running',
      stopping: 'paused',
    });
    await until(
      () => client.call('studies.get', { id: study.id }),
      ({ state }) => state === 'paused',
    );
    const paused = await client.call('jobs.get', { id: running!.id });
    expect(paused).toMatchObject({ state: 'paused', stopping: null, error: null });
    expect(paused.resumePoint!.step).toBeGreaterThanOrEqual(100);
    expect(paused.resumePoint!.step).toBeLessThan(400);
    // It stays shown; it is said now and then only.
    expect(paused.progress).toMatchObject({ total: 400 });

    client.close();
    engine.process.kill('SIGTERM');
    await engine.ended;
    client = await connect((await startEngineProcess(folders[1], {}, process.env)).listening);
    expect(await client.call('jobs.get', { id: paused.id })).toEqual(paused);
    expect((await client.call('studies.get', { id: study.id })).state).toBe('paused');
    await client.call('jobs.resume', { id: paused.id });
    expect((await client.call('studies.get', { id: study.id })).state).toBe('running');

    const resumed = await left(client, folders[1], study);
    expect(resumed.attempts).toBe(2);
    expect(Object.keys(resumed.weights).length).toBeGreaterThan(5);
    expect(resumed).toEqual({ ...expected, attempts: 2 });
  },
);
