/** Sweeps through a real engine, real workers and the real kinds, on the checkpoints of the sample study. */
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { CallInput, Job } from '../../main/contract/api.ts';
import type { SweepPointResult, SweepResult } from '../../main/contract/sweeps.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { writeCheckpoint } from '../../main/ml/checkpoints/writeCheckpoint.ts';
import { interpolateWeights, revertModel } from '../../main/ml/reversion/revertModel.ts';
import { CheckpointDecompositions } from '../../main/ml/spectral/checkpointDecompositions.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const sample = fileURLToPath(new URL('../../resources/sample-study/checkpoints/', import.meta.url));
const task = { evaluationEpisodes: 40 };
const timeout = 170_000;
type Order = CallInput<'sweeps.start'>;
type Settings = Order['settings'];

interface Lab {
  data: string;
  client: EngineClient;
  targetId: string;
  referenceId: string;
}

async function open(folders: [target: string, reference: string]): Promise<Lab> {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data, {}, process.env);
  const client = await connect(engine.listening);
  const verdicts = await client.call('checkpoints.import', { paths: folders });
  const [targetId, referenceId] = verdicts.map(({ checkpointId }) => checkpointId!) as [string, string];
  return { data, client, targetId, referenceId };
}

const openSample = (): Promise<Lab> => open([join(sample, 'seed-0-end'), join(sample, 'seed-0-peak')]);

const orderOf = ({ targetId, referenceId }: Lab, settings: Settings): Order => {
  return { name: 'Test', pairs: [{ targetId, referenceId, stage: 'sft' }], settings };
};

const reversion = (more: object = {}): Settings => ({
  sweep: { kind: 'reversion', axes: ['whole', 'layers'], controls: { scrambled: 1, rotation: 0, noise: 0 }, ...more },
  task,
});

const settled = (client: EngineClient, id: string): Promise<SweepResult> =>
  until(
    () => client.call('sweeps.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
    timeout,
  );

const ended = (client: EngineClient, id: string): Promise<Job> =>
  until(
    () => client.call('jobs.get', { id }),
    ({ state }) => state !== 'queued' && state !== 'running',
    timeout,
  );

/** Points without what differs from run to run. */
const numbers = ({ points }: SweepResult): unknown =>
  points.map(({ durationMs: _, reused: __, ...numbersOf }) => numbersOf);

const pointWith = ({ points }: SweepResult, wanted: Partial<SweepPointResult>): SweepPointResult =>
  points.find((point) => Object.entries(wanted).every(([name, value]) => point[name as keyof SweepPointResult] === value))!; // prettier-ignore

describe.skipIf(process.platform !== 'linux')('a sweep of the sample study', () => {
  test('killed in the middle it ends with the numbers of one never killed', { timeout }, async () => {
    const whole = await openSample();
    const order = orderOf(whole, reversion());
    const plan = await whole.client.call('sweeps.plan', order);
    // 2 own + (1 whole + 3 layers) x (2 edits + ceiling + 2 doses + 2 controls)
    expect(plan).toMatchObject({ points: 30, known: 0, layers: 3, largestRank: 64, notEvaluated: null });
    const reference = await settled(whole.client, (await whole.client.call('sweeps.start', order)).id);
    expect(reference).toMatchObject({ state: 'succeeded', done: 30, total: 30 });
    expect(reference.points.every(({ evaluation, reused }) => evaluation?.ood.n === 40 && !reused)).toBe(true);
    // A task in tokens has no answers to keep.
    expect(reference.points.every(({ answers }) => answers === undefined)).toBe(true);
    // the axes meet where all is edited: one computation, two points
    const [all, three] = [{ axis: 'whole' as const }, { axis: 'layers' as const, k: 3 }].map((where) =>
      pointWith(reference, { edit: 'singularVectors', control: undefined, ...where }),
    );
    expect(all!.evaluation).toEqual(three!.evaluation);
    expect(all!.durationMs).toBe(three!.durationMs);
    // the records of the matrices are there point by point
    const { record } = await whole.client.call('sweeps.point', { id: reference.id, key: all!.key });
    expect(record.matrices).toHaveLength(18);
    expect(record.matrices.map(({ effectiveRank }) => effectiveRank)).toContain(32);

    const killed = await openSample();
    const { id } = await killed.client.call('sweeps.start', orderOf(killed, reversion()));
    const before = await until(
      () => killed.client.call('sweeps.get', { id }),
      ({ done, state }) => done >= 4 || state === 'succeeded',
      timeout,
    );
    expect(before.state).toBe('running');
    const { pid } = JSON.parse(readFileSync(join(killed.data, 'jobs', id, 'worker.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    expect((await settled(killed.client, id)).state).toBe('interrupted');
    const again = await killed.client.call('sweeps.start', orderOf(killed, reversion()));
    expect(again.id).toBe(id);
    const result = await settled(killed.client, id);
    expect(result).toMatchObject({ state: 'succeeded', done: 30 });
    expect(numbers(result)).toEqual(numbers(reference));
    // what was done is not done again: its time is that of the first attempt
    before.points.forEach((point, i) => expect(result.points[i]).toEqual(point));
  });

  test('a changed option computes what it changes, and is known beforehand', { timeout }, async () => {
    const lab = await openSample();
    const { client } = lab;
    await settled(client, (await client.call('sweeps.start', orderOf(lab, reversion({ dose: false })))).id);
    await until(
      () => client.call('checkpoints.get', { id: lab.targetId }),
      ({ contentHash }) => contentHash !== null,
    );
    await until(
      () => client.call('checkpoints.get', { id: lab.referenceId }),
      ({ contentHash }) => contentHash !== null,
    );
    const changed = orderOf(lab, reversion({ paperCompatible: true }));
    const plan = await client.call('sweeps.plan', changed);
    // vectors at full rank are copies now: the ceiling, which is there; and the values' control has no such thing
    const result = await settled(client, (await client.call('sweeps.start', changed)).id);
    expect(result.state).toBe('succeeded');
    const computed = result.points.filter(({ reused }) => !reused);
    expect(plan.points - plan.known).toBe(computed.length);
    for (const { edit, control } of computed) expect(edit === 'singularVectors' || control === 'dose').toBe(true);
    expect(result.points.filter(({ reused }) => reused).length).toBeGreaterThanOrEqual(14);
    // the same order is the same sweep
    expect((await client.call('sweeps.start', { ...changed, name: 'Another name' })).id).toBe(result.id);
    expect(await client.call('sweeps.list', {})).toHaveLength(2);
    await client.call('sweeps.remove', { id: result.id });
    expect(await client.call('sweeps.list', {})).toHaveLength(1);
    expect((await client.call('sweeps.restore', { id: result.id })).done).toBe(30);
  });

  test('points become checkpoints that hold the weights that were evaluated', { timeout }, async () => {
    const lab = await openSample();
    const { client } = lab;
    const sweep = await settled(
      client,
      (await client.call('sweeps.start', orderOf(lab, reversion({ axes: ['ranks'], rankCounts: [16] })))).id,
    );
    const { key } = pointWith(sweep, { edit: 'singularVectors', control: undefined });
    const folder = join(lab.data, 'elsewhere');
    const { jobId } = await client.call('sweeps.exportPoint', { id: sweep.id, key, folder });
    expect(await ended(client, jobId)).toMatchObject({ state: 'succeeded', error: null });

    const [target, exported] = await Promise.all([openCheckpoint(join(sample, 'seed-0-end')), openCheckpoint(folder)]);
    const [weights, referenceWeights] = [await target.readAll(), await readAll(join(sample, 'seed-0-peak'))];
    const pair = {
      target: new CheckpointDecompositions(weights, 'float32'),
      reference: new CheckpointDecompositions(referenceWeights, 'float32'),
    };
    const names = [...weights.keys()].filter((name) => /(q|k|v|gate|up|down)_proj/.test(name));
    const edited = revertModel(pair, { revert: 'singularVectors', ranks: { top: 16 }, weights: names });
    for (const [name, { data }] of edited.weights) expect(await exported.read(name), name).toEqual(data);
    for (const name of weights.keys())
      expect(Buffer.from(await exported.readBytes(name)).equals(await target.readBytes(name))).toBe(
        !names.includes(name),
      );
    await Promise.all([target.close(), exported.close()]);
    const files = await readdir(folder);
    expect(files.sort()).toEqual(['README.md', 'config.json', 'model.safetensors', 'rotascope.json', 'tokenizer.json', 'tokenizer_config.json']); // prettier-ignore
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    const recipe = JSON.parse(/```json\n([^]*?)\n```/.exec(card)![1]!) as Record<string, unknown>;
    expect(recipe).toMatchObject({
      format: 'rotascope-export',
      point: { edit: 'singularVectors', ranks: { top: 16 } },
    });
    // the same again is there already; another one is refused, as is a folder of somebody else
    const twice = await client.call('sweeps.exportPoint', { id: sweep.id, key, folder });
    expect((await ended(client, twice.jobId)).state).toBe('succeeded');
    const other = await client.call('sweeps.exportPoint', { id: sweep.id, key: sweep.points[0]!.key, folder });
    expect((await ended(client, other.jobId)).error).toMatchObject({ code: 'CONFLICT' });
    const foreign = join(lab.data, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'thesis.tex'), 'years of work');
    await expect(client.call('sweeps.exportPoint', { id: sweep.id, key, folder: foreign })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await readdir(foreign)).toEqual(['thesis.tex']);
  });

  test('interpolates through three checkpoints, and exports a mixture', { timeout }, async () => {
    const lab = await openSample();
    const { client, targetId, referenceId } = lab;
    const [base] = await client.call('checkpoints.import', { paths: [join(sample, 'seed-0-base')] });
    const sweep = await client.call('sweeps.start', {
      name: 'Path',
      pairs: [
        { targetId, referenceId },
        { targetId: referenceId, referenceId: base!.checkpointId! },
      ],
      settings: { sweep: { kind: 'interpolation', alphas: [0.5] }, task },
    });
    const result = await settled(client, sweep.id);
    expect(result).toMatchObject({ state: 'succeeded', done: 6 });
    // the middle of the path is one point under two names
    expect(result.points[1]!.evaluation).toEqual(result.points[2]!.evaluation);
    const { key } = pointWith(result, { pair: 0, edit: 'interpolation' });
    const folder = join(lab.data, 'mixture');
    const { jobId } = await client.call('sweeps.exportPoint', { id: sweep.id, key, folder });
    expect((await ended(client, jobId)).state).toBe('succeeded');
    const [a, b] = [await readAll(join(sample, 'seed-0-end')), await readAll(join(sample, 'seed-0-peak'))];
    const mixed = interpolateWeights(a, b, 0.5).weights;
    for (const [name, { data }] of await readAll(folder)) expect(data).toEqual(mixed.get(name)!.data);
  });
});

async function readAll(folder: string) {
  const checkpoint = await openCheckpoint(folder);
  try {
    return await checkpoint.readAll();
  } finally {
    await checkpoint.close();
  }
}

describe('models that cannot be asked here', () => {
  test('are edited, recorded and exported in their own type, with what rounding takes back', { timeout }, async () => {
    const source = await temporaryFolder();
    const weights = (step: number) => {
      const matrix = (rows: number, columns: number, phase: number) => ({
        shape: [rows, columns],
        data: Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i + phase) + step * Math.cos(3 * i + phase)), // prettier-ignore
      });
      return new Map([
        ['model.embed_tokens.weight', matrix(40, 16, 1)],
        ['model.layers.0.self_attn.q_proj.weight', matrix(16, 16, 2)],
        ['model.layers.0.self_attn.k_proj.weight', matrix(8, 16, 3)],
      ]);
    };
    const folders = [join(source, 'target'), join(source, 'reference')] as [string, string];
    const config = { model_type: 'llama', torch_dtype: 'bfloat16' };
    await writeCheckpoint(folders[0], { config, weights: weights(0.01), dtype: 'BF16' });
    await writeCheckpoint(folders[1], { config, weights: weights(0), dtype: 'BF16' });
    const lab = await open(folders);
    const { client } = lab;
    const order = orderOf(lab, { sweep: { kind: 'reversion', axes: ['whole'], matrices: ['q', 'k'] } });
    const plan = await client.call('sweeps.plan', order);
    expect(plan.notEvaluated).toMatch(/config\.json|configuration|vocabulary/);
    const sweep = await settled(client, (await client.call('sweeps.start', order)).id);
    expect(sweep.state).toBe('succeeded');
    expect(sweep.points.every(({ evaluation }) => evaluation === null)).toBe(true);
    const point = pointWith(sweep, { edit: 'singularValues', control: undefined });
    expect(point.record).toMatchObject({ effectiveRank: 12 });
    for (const dtype of ['same', 'F32'] as const) {
      const { jobId, folder } = await client.call('sweeps.exportPoint', { id: sweep.id, key: point.key, dtype });
      expect((await ended(client, jobId)).state).toBe('succeeded');
      const events = await client.call('jobs.events', { id: jobId });
      const artifact = events.find((event) => event.type === 'artifact') as { data: { matrices: { dtype: string; roundingShare: number }[]; warnings: string[] } }; // prettier-ignore
      expect(artifact.data.matrices.map((matrix) => matrix.dtype)).toEqual(Array(2).fill(dtype === 'same' ? 'BF16' : 'F32')); // prettier-ignore
      // bf16 rounding is larger than an edit of the values
      expect(artifact.data.warnings.length).toBe(dtype === 'same' ? 1 : 0);
      const written = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as { torch_dtype: string };
      expect(written.torch_dtype).toBe(dtype === 'same' ? 'bfloat16' : 'float32');
      const [exported, target] = [await readAll(folder), await readAll(folders[0])];
      const name = 'model.embed_tokens.weight';
      expect(exported.get(name)!.data).toEqual(target.get(name)!.data);
    }
    const path = orderOf(lab, { sweep: { kind: 'interpolation', alphas: [0.5] } });
    const mixtures = await settled(client, (await client.call('sweeps.start', path)).id);
    const [a, b] = [await readAll(folders[0]), await readAll(folders[1])];
    const { changeNorm, relativeChange } = interpolateWeights(a, b, 0.5).record;
    const { record } = pointWith(mixtures, { edit: 'interpolation' });
    expect(record.changeNorm).toBeCloseTo(changeNorm, 9);
    expect(record.relativeChange).toBeCloseTo(relativeChange, 9);
  });

  test('requests that make no sense are refused with the next step', { timeout }, async () => {
    const lab = await openSample();
    const { client, targetId } = lab;
    const refused = (order: Order) => expect(client.call('sweeps.plan', order)).rejects;
    await refused({ ...orderOf(lab, reversion()), pairs: [{ targetId, referenceId: targetId }] }).toMatchObject({
      code: 'INVALID_REQUEST',
      hint: expect.stringContaining('reference') as string,
    });
    await refused(orderOf(lab, reversion({ layerMode: 'each', layerCounts: [7] }))).toMatchObject({
      code: 'INVALID_REQUEST',
      hint: 'The layers are 0 to 2; the first is 0.',
    });
    await refused(orderOf(lab, reversion({ axes: ['diagonal'] }))).toMatchObject({ code: 'INVALID_REQUEST' });
    await refused({ ...orderOf(lab, reversion()), pairs: [{ targetId, referenceId: 'nobody' }] }).toMatchObject({
      code: 'NOT_FOUND',
    });
    const other = await temporaryFolder();
    const weights = new Map([['model.layers.0.self_attn.q_proj.weight', { shape: [2, 3], data: new Float32Array(6) }]]);
    await writeCheckpoint(join(other, 'small'), { config: {}, weights });
    const [small] = await client.call('checkpoints.import', { paths: [join(other, 'small')] });
    await refused({ ...orderOf(lab, reversion({ matrices: ['q'] })), pairs: [{ targetId, referenceId: small!.checkpointId! }] }).toMatchObject({ code: 'SHAPE_MISMATCH', message: expect.stringContaining('q_proj') as string }); // prettier-ignore
    await expect(client.call('sweeps.exportPoint', { id: 'none', key: 'none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await rm(other, { recursive: true });
  });
});
