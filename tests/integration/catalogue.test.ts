/** The catalogue on real files, through a real engine: hashed, copied, verified, re-linked, compared; trajectories and lineage. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { EngineClient } from '../../main/api/engineClient.ts';
import type { Checkpoint, Job, JobKind } from '../../main/contract/api.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { writeCheckpoint } from '../../main/ml/checkpoints/writeCheckpoint.ts';
import { connect, startEngineProcess, temporaryFolder, until } from './engineProcess.ts';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

async function openLab(): Promise<{ client: EngineClient; data: string; models: string }> {
  const data = await temporaryFolder();
  const engine = await startEngineProcess(data);
  return { client: await connect(engine.listening), data, models: await temporaryFolder() };
}

function place(name: string, at: string): string {
  cpSync(join(fixtures, name), at, { recursive: true });
  return at;
}

const isActive = ({ state }: Job): boolean => state === 'queued' || state === 'running';
/** Every job of the kind, once none of them runs any more. */
async function settled(client: EngineClient, kind: JobKind, atLeast = 1): Promise<Job[]> {
  const all = await until(
    async () => (await client.call('jobs.list', {})).filter((job) => job.kind === kind),
    (jobs) => jobs.length >= atLeast && !jobs.some(isActive),
  );
  return all;
}

async function importOne(client: EngineClient, path: string, copy = false): Promise<Checkpoint> {
  const [verdict] = await client.call('checkpoints.import', { paths: [path], copy });
  return client.call('checkpoints.get', { id: verdict!.checkpointId! });
}

const weights = (folder: string): string => join(folder, 'model.safetensors');

/** Another value at the end of the data, at a later time. */
function changeLastValue(file: string): void {
  const bytes = readFileSync(file);
  bytes.writeFloatLE(0.125, bytes.length - 4);
  writeFileSync(file, bytes);
  utimesSync(file, new Date(), new Date(Date.now() + 5000));
}

test('imported checkpoints are hashed in the background; the same weights in shards have the same hash', async () => {
  const { client, models } = await openLab();
  const shards = await openCheckpoint(join(fixtures, 'tiny-llama-sharded'));
  const folder = join(models, 'whole');
  await writeCheckpoint(folder, { config: shards.config!, weights: await shards.readAll(), dtype: 'F32' });
  await shards.close();
  const whole = await importOne(client, folder);
  const sharded = await importOne(client, join(fixtures, 'tiny-llama-sharded', 'model-00001-of-00004.safetensors'));
  expect([whole.contentHash, whole.nonFiniteTensors]).toEqual([null, null]);
  const jobs = await settled(client, 'hashCheckpoints', 2);
  expect(jobs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  const one = await client.call('checkpoints.get', { id: whole.id });
  const other = await client.call('checkpoints.get', { id: sharded.id });
  expect(one.contentHash).toMatch(/^[0-9a-f]{64}$/);
  expect(other.contentHash).toBe(one.contentHash);
  expect(one.nonFiniteTensors).toBe(0);
  expect(one.sharing).toEqual([{ id: other.id, name: 'tiny-llama-sharded', tensors: one.tensors }]);
  // One tensor by hand: its bytes where the header says.
  const file = readFileSync(weights(folder));
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  for (const { name, dtype, shape, hash, norm, nan, infinite } of one.tensorTable) {
    const [begin, end] = header[name]!.data_offsets;
    const bytes = file.subarray(8 + headerBytes + begin, 8 + headerBytes + end);
    const expected = createHash('sha256')
      .update(`${JSON.stringify([dtype, ...shape])}\n`)
      .update(bytes)
      .digest('hex');
    expect([hash, nan, infinite], name).toEqual([expected, 0, 0]);
    expect(norm).toBeGreaterThan(0);
  }
});

test('values that are not finite are counted per tensor', async () => {
  const { client, models } = await openLab();
  const folder = place('tiny-llama', join(models, 'odd'));
  const bytes = readFileSync(weights(folder));
  // The dtype of the last tensor decides what a NaN is; all ones is one in every float type.
  bytes.fill(0xff, bytes.length - 4);
  writeFileSync(weights(folder), bytes);
  const { id } = await importOne(client, folder);
  await settled(client, 'hashCheckpoints');
  const { nonFiniteTensors, tensorTable } = await client.call('checkpoints.get', { id });
  expect(nonFiniteTensors).toBe(1);
  expect(tensorTable.filter(({ nan }) => nan! > 0)).toHaveLength(1);
});

test('copied on import: the row points at the copy, equal files are stored once, the original may go', async () => {
  const { client, data, models } = await openLab();
  const first = place('tiny-llama', join(models, 'run', 'a'));
  const second = place('tiny-llama', join(models, 'b'));
  const other = place('tiny-qwen2', join(models, 'c'));
  for (const path of [first, second, other]) await importOne(client, path, true);
  const copies = await settled(client, 'copyCheckpoint', 3);
  expect(copies.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  const rows = await client.call('checkpoints.list', {});
  expect(rows.map(({ folder }) => folder).sort()).toEqual(
    ['a', 'b', 'c'].map((name) => join(data, 'checkpoints', name)),
  );
  expect(rows.every(({ copied }) => copied)).toBe(true);
  const inode = (name: string): number => statSync(weights(join(data, 'checkpoints', name))).ino;
  expect(inode('b')).toBe(inode('a'));
  expect(inode('c')).not.toBe(inode('a'));
  expect(readFileSync(weights(join(data, 'checkpoints', 'b')))).toEqual(readFileSync(weights(second)));
  await settled(client, 'hashCheckpoints', 3);
  rmSync(models, { recursive: true });
  for (const { id, contentHash } of await client.call('checkpoints.list', {})) {
    expect(contentHash).not.toBeNull();
    expect(await client.call('checkpoints.verify', { id })).toEqual({ intact: true, findings: [], jobId: null });
  }
});

test('missing, extra and changed files are named; changed content is found by reading it', async () => {
  const { client, models } = await openLab();
  const folder = place('tiny-llama-sharded', join(models, 'sharded'));
  const { id } = await importOne(client, folder);
  await settled(client, 'hashCheckpoints');
  const verify = (content = false) => client.call('checkpoints.verify', { id, content });
  expect(await verify()).toEqual({ intact: true, findings: [], jobId: null });
  const shard = join(folder, 'model-00002-of-00004.safetensors');
  changeLastValue(shard);
  const rewritten = await verify();
  expect(rewritten.findings).toEqual([
    expect.stringMatching(
      /^model-00002-of-00004\.safetensors was written again at .* UTC, with the same size and header\.$/,
    ),
  ]);
  expect(rewritten.jobId).not.toBeNull();
  await settled(client, 'hashCheckpoints', 2);
  const { notices } = await client.call('app.state', {});
  expect(notices.map(({ text }) => text)).toEqual([expect.stringContaining('their content has changed')]);
  writeFileSync(join(folder, 'extra.safetensors'), 'x');
  appendFileSync(join(folder, 'config.json'), '\n');
  renameSync(shard, `${shard}.away`);
  const broken = await verify();
  expect(broken.intact).toBe(false);
  const size = statSync(join(folder, 'config.json')).size.toLocaleString('en');
  expect(broken.findings).toEqual([
    expect.stringMatching(new RegExp(`^config\\.json has ${size} bytes; it had [\\d,]+\\.$`)),
    'model-00002-of-00004.safetensors is missing.',
    'extra.safetensors is new: it was not there when the checkpoint was last looked at.',
  ]);
  // The page still has something to show.
  const detail = await client.call('checkpoints.get', { id });
  expect(detail.fault).toContain('model-00002-of-00004.safetensors');
  expect(detail.tensorTable).toEqual([]);
});

test('a moved folder is linked again; another checkpoint is refused with what differs', async () => {
  const { client, models } = await openLab();
  const folder = place('tiny-llama', join(models, 'here'));
  const { id } = await importOne(client, folder);
  await settled(client, 'hashCheckpoints');
  renameSync(folder, join(models, 'there'));
  expect((await client.call('checkpoints.get', { id })).missing).toBe(true);
  const wrong = place('tiny-qwen2', join(models, 'other'));
  await expect(client.call('checkpoints.relink', { id, path: wrong })).rejects.toMatchObject({
    code: 'SHAPE_MISMATCH',
    message: expect.stringMatching(
      /is another checkpoint than "here": .*tensors instead of.*q_proj\.bias.*in addition/,
    ) as string,
  });
  const linked = await client.call('checkpoints.relink', { id, path: join(models, 'there') });
  expect(linked).toMatchObject({ id, missing: false, folder: join(models, 'there') });
  const jobs = await settled(client, 'hashCheckpoints', 2);
  expect(jobs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  expect((await client.call('app.state', {})).notices).toEqual([]);
});

test('two checkpoints: configuration, tensors only in one, relative change; asked again it is the same job', async () => {
  const { client, models } = await openLab();
  const a = await importOne(client, place('tiny-llama', join(models, 'a')));
  const folder = place('tiny-llama', join(models, 'b'));
  changeLastValue(weights(folder));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, rms_norm_eps: 0.5 }));
  const b = await importOne(client, folder);
  await settled(client, 'hashCheckpoints', 2);
  const ask = () => client.call('checkpoints.diff', { aId: a.id, bId: b.id });
  const first = await ask();
  expect(first).toMatchObject({ onlyInA: [], onlyInB: [], differing: [], comparable: a.tensors, equal: a.tensors - 1 });
  expect(first.config).toEqual([{ field: 'rms_norm_eps', a: config['rms_norm_eps'], b: 0.5 }]);
  await settled(client, 'diffCheckpoints');
  const done = await ask();
  expect(done.jobId).toBe(first.jobId);
  expect(done.changes).toHaveLength(a.tensors);
  const changed = done.changes!.filter(({ relativeChange }) => relativeChange !== 0);
  expect(changed).toHaveLength(1);
  expect(changed[0]!.relativeChange).toBeGreaterThan(0);
  const c = await importOne(client, join(fixtures, 'tiny-qwen2'));
  const other = await client.call('checkpoints.diff', { aId: a.id, bId: c.id });
  expect(other.onlyInB.some((name) => name.endsWith('q_proj.bias'))).toBe(true);
});

test('a run in a folder: trajectory and steps by name, the start of the run as lineage, all of it editable', async () => {
  const { client, models } = await openLab();
  for (const [name, at] of [
    ['tiny-llama-base', 'sft-run/checkpoint-0'],
    ['tiny-llama', 'sft-run/checkpoint-20'],
    ['tiny-llama-end', 'sft-run/checkpoint-140'],
  ] as const)
    place(name, join(models, at));
  await client.call('checkpoints.import', { paths: [join(models, 'sft-run')] });
  const rows = (await client.call('checkpoints.list', {})).sort((x, y) => x.step! - y.step!);
  expect(rows.map(({ name, trajectory, step }) => [name, trajectory, step])).toEqual([
    ['sft-run/checkpoint-0', 'sft-run', 0],
    ['sft-run/checkpoint-20', 'sft-run', 20],
    ['sft-run/checkpoint-140', 'sft-run', 140],
  ]);
  const [start, ...later] = rows as [Checkpoint, ...Checkpoint[]];
  expect([start.parentId, start.referenceId]).toEqual([null, null]);
  for (const { parentId, referenceId } of later) expect([parentId, referenceId]).toEqual([start.id, start.id]);
  // Another run of the same name is another run.
  place('tiny-llama', join(models, 'again', 'sft-run', 'checkpoint-20'));
  const twin = await importOne(client, join(models, 'again', 'sft-run', 'checkpoint-20'));
  expect(twin.trajectory).toBe('again/sft-run');
  const ids = later.map(({ id }) => id);
  await client.call('checkpoints.update', { ids, patch: { trajectory: 'renamed', referenceId: null } });
  const said = await client.call('checkpoints.get', { id: ids[0]! });
  expect(said).toMatchObject({ trajectory: 'renamed', referenceId: null, parentId: start.id, step: 20 });
  await expect(
    client.call('checkpoints.update', { ids: [start.id], patch: { parentId: ids[0]! } }),
  ).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  // What the user has said stays when the folder is imported again.
  await client.call('checkpoints.import', { paths: [join(models, 'sft-run')] });
  expect((await client.call('checkpoints.get', { id: ids[0]! })).trajectory).toBe('renamed');
});

test('the base that a configuration names is the lineage, where it is in the catalogue', async () => {
  const { client, models } = await openLab();
  const base = await importOne(client, place('tiny-llama-base', join(models, 'base')));
  const folder = place('tiny-llama', join(models, 'tuned'));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, _name_or_path: base.folder }));
  expect(await importOne(client, folder)).toMatchObject({ parentId: base.id, referenceId: base.id });
});

test('what a stop interrupts goes on at the next start; unhashed checkpoints are hashed then', async () => {
  const data = await temporaryFolder();
  const models = await temporaryFolder();
  const first = await startEngineProcess(data);
  let client = await connect(first.listening);
  mkdirSync(join(models, 'big'));
  const tensorBytes = 256 * 1024 * 1024;
  const header = JSON.stringify({ a: { dtype: 'F32', shape: [tensorBytes / 4], data_offsets: [0, tensorBytes] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(weights(join(models, 'big')), Buffer.concat([length, Buffer.from(header), Buffer.alloc(tensorBytes)]));
  const { id } = await importOne(client, join(models, 'big'));
  first.process.stdin!.end();
  expect(await first.ended).toBe(0);
  const second = await startEngineProcess(data);
  client = await connect(second.listening);
  const [job] = await settled(client, 'hashCheckpoints');
  expect(job).toMatchObject({ state: 'succeeded', attempt: 2 });
  expect((await client.call('checkpoints.get', { id })).contentHash).not.toBeNull();
});
