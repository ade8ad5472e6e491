/** Hashing and copying stopped in the middle: the next attempt goes on where it stopped, and the result is the same. */
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WorkerEventBody } from '../../main/contract/events.ts';
import type { JobContext } from '../../main/jobs/jobContext.ts';
import { kind as hashCheckpoints } from '../../main/jobs/kinds/hashCheckpoints.ts';
import { copyCheckpoint } from '../../main/ml/checkpoints/copyCheckpoint.ts';
import { openCheckpoint } from '../../main/ml/checkpoints/openCheckpoint.ts';
import { temporaryFolder } from './engineProcess.ts';

const tensorBytes = 12 * 1024 * 1024;
const names = ['a', 'b', 'c', 'd'];

/** Four tensors of 12 MB: three pieces each. */
async function bigCheckpoint(): Promise<string> {
  const folder = await temporaryFolder();
  const place = (i: number): object => {
    return { dtype: 'F32', shape: [tensorBytes / 4], data_offsets: [i * tensorBytes, (i + 1) * tensorBytes] };
  };
  const header = Buffer.from(JSON.stringify(Object.fromEntries(names.map((name, i) => [name, place(i)]))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Float32Array.from({ length: names.length * (tensorBytes / 4) }, (_, i) => i % 1013);
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, header, Buffer.from(data.buffer)]));
  return folder;
}

interface Attempt {
  events: WorkerEventBody[];
  run(): Promise<unknown>;
  abort: AbortController;
}

function attempt(folder: string, source: string): Attempt {
  const request = { checkpoints: [{ id: 'x', name: 'x', folder: source, expected: null }] };
  const events: WorkerEventBody[] = [];
  const abort = new AbortController();
  const context: JobContext = {
    request,
    folder,
    attempt: 1,
    resumeStep: null,
    signal: abort.signal,
    emit: (body) => void events.push(body),
    compute: () => Promise.reject(new Error('not needed')),
  };
  return { events, abort, run: () => hashCheckpoints(context) };
}

/** Aborts as soon as the condition holds. */
async function stoppedWhen(run: Promise<unknown>, abort: AbortController, condition: () => boolean): Promise<void> {
  const watch = setInterval(() => condition() && abort.abort(new Error('stopped here')), 1);
  await expect(run).rejects.toThrow('stopped here');
  clearInterval(watch);
}

const digestOf = ({ events }: Attempt): unknown => events.find(({ type }) => type === 'checkpointDigest');

test('hashing goes on with the tensor where it stopped', async () => {
  const source = await bigCheckpoint();
  const folder = await temporaryFolder();
  const file = join(folder, 'tensors-x.jsonl');
  const linesDone = (): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 2 : 0);
  const first = attempt(folder, source);
  await stoppedWhen(first.run(), first.abort, () => linesDone() >= 2);
  const done = linesDone();
  expect([2, 3]).toContain(done);
  expect(digestOf(first)).toBeUndefined();
  // A crash has torn the last line, and what is done is believed: a mark in it has to come back.
  const marked = readFileSync(file, 'utf8').replace(/"nan":0/, '"nan":7');
  writeFileSync(file, `${marked}{"name":"torn`);
  const second = attempt(folder, source);
  await second.run();
  const fresh = attempt(await temporaryFolder(), source);
  await fresh.run();
  const resumed = JSON.stringify(digestOf(second));
  expect(resumed).toContain('"nan":7');
  expect(resumed.replace('"nan":7', '"nan":0')).toBe(JSON.stringify(digestOf(fresh)));
  // Files that have changed since are read anew.
  appendFileSync(join(source, 'config.json'), '{}');
  const third = attempt(folder, source);
  await third.run();
  expect(JSON.stringify(digestOf(third))).not.toContain('"nan":7');
});

test('a copy goes on after its last whole piece', async () => {
  const source = await bigCheckpoint();
  writeFileSync(join(source, 'config.json'), '{}');
  const copiesFolder = await temporaryFolder();
  const target = join(copiesFolder, 'copy');
  const copying = join(`${target}.partial`, 'model.safetensors.copying');
  const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);
  const checkpoint = await openCheckpoint(source);
  const copy = (signal: AbortSignal, onProgress: (done: number) => void = () => undefined) =>
    copyCheckpoint(checkpoint, { target, copiesFolder, signal, onProgress });
  const abort = new AbortController();
  const stopAt = 20 * 1024 * 1024;
  await expect(copy(abort.signal, (done) => done > stopAt && abort.abort(new Error('stopped here')))).rejects.toThrow(
    'stopped here',
  );
  const written = sizeOf(copying);
  expect(written).toBeGreaterThan(stopAt - 4 * 1024 * 1024);
  expect(existsSync(target)).toBe(false);
  const steps: number[] = [];
  await copy(new AbortController().signal, (done) => steps.push(done));
  // The first piece of the second attempt comes after what was there.
  expect(steps.find((done) => done > 100)).toBeGreaterThan(written);
  expect(readdirSync(target).sort()).toEqual(['config.json', 'model.safetensors']);
  const name = 'model.safetensors';
  expect(readFileSync(join(target, name)).equals(readFileSync(join(source, name)))).toBe(true);
  expect(readdirSync(copiesFolder)).toEqual(['copy']);
  await checkpoint.close();
});
