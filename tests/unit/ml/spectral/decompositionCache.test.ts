import { existsSync, readFileSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Factorisation } from '../../../../main/ml/spectral/decompose.ts';
import { decomposeAsync } from '../../../../main/ml/spectral/decompose.ts';
import { DecompositionCache } from '../../../../main/ml/spectral/decompositionCache.ts';
import { decompositionBytes } from '../../../../main/ml/spectral/decompositionFile.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const all = temporaryFolder('svd-cache');
const emptyFolder = (): string => mkdtempSync(join(all, 'one-'));
const hash = (i: number): string => String(i).repeat(64);

async function sample(key = 'sample'): Promise<Factorisation<Float32Array>> {
  const { weight: _, ...rest } = await decomposeAsync(
    { rows: 5, columns: 9, data: new Philox(key).gaussians(45) },
    'float32',
  );
  return rest;
}

const bytes = decompositionBytes({ rows: 5, columns: 9 }, 'float32');
const fileOf = (cache: DecompositionCache, i: number): string => join(cache.folder, `${hash(i)}-float32.svd`);

describe('the cache of decompositions', () => {
  it('gives back the same bits, by hash and precision', async () => {
    const cache = new DecompositionCache(emptyFolder(), 1e6);
    const put = await sample();
    expect(await cache.get(hash(1), 'float32')).toBeNull();
    expect(await cache.put(hash(1), 'float32', put)).toBe(true);
    expect(await cache.get(hash(1), 'float32')).toEqual(put);
    expect(await cache.get(hash(1), 'float64')).toBeNull();
    expect(await cache.get(hash(2), 'float32')).toBeNull();
    expect(statSync(fileOf(cache, 1)).size).toBe(bytes);
    const long = { ...put, u: Float64Array.from(put.u), s: Float64Array.from(put.s), vt: Float64Array.from(put.vt) };
    await cache.put(hash(1), 'float64', long);
    expect(await cache.get(hash(1), 'float64')).toEqual(long);
    expect(await cache.get(hash(1), 'float32')).toEqual(put);
  });

  it('notices a flipped bit anywhere, and any other length', async () => {
    const cache = new DecompositionCache(emptyFolder(), 1e6);
    const file = fileOf(cache, 1);
    await cache.put(hash(1), 'float32', await sample());
    const whole = readFileSync(file);
    const damages = Array.from({ length: whole.length }, (_, at) => {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1 << (at % 8);
      return damaged;
    });
    damages.push(Buffer.concat([whole, Buffer.of(0)]), whole.subarray(0, -1), whole.subarray(0, 30), Buffer.alloc(0));
    for (const damaged of damages) {
      writeFileSync(file, damaged);
      expect(await cache.get(hash(1), 'float32')).toBeNull();
      expect(existsSync(file)).toBe(false);
    }
    writeFileSync(file, whole);
    expect(await cache.get(hash(1), 'float32')).not.toBeNull();
  });

  it('drops what was not used for the longest time', async () => {
    const cache = new DecompositionCache(emptyFolder(), 3 * bytes);
    for (const i of [1, 2, 3]) {
      await cache.put(hash(i), 'float32', await sample());
      utimesSync(fileOf(cache, i), new Date(2000 + i, 0), new Date(2000 + i, 0));
    }
    await cache.get(hash(1), 'float32');
    await cache.put(hash(4), 'float32', await sample());
    const left = [1, 2, 3, 4].filter((i) => existsSync(fileOf(cache, i)));
    expect(left).toEqual([1, 3, 4]);
  });

  it('counts what other processes have written', async () => {
    const folder = emptyFolder();
    const [one, other] = [new DecompositionCache(folder, 3 * bytes), new DecompositionCache(folder, 3 * bytes)];
    await one.put(hash(1), 'float32', await sample());
    for (const i of [2, 3]) await other.put(hash(i), 'float32', await sample());
    await one.put(hash(4), 'float32', await sample());
    expect(readdirSync(one.folder)).toHaveLength(3);
    expect(existsSync(fileOf(one, 4))).toBe(true);
  });

  it('does not keep what is larger than its budget, and removes nothing for it', async () => {
    const folder = emptyFolder();
    await new DecompositionCache(folder, bytes).put(hash(1), 'float32', await sample());
    const small = new DecompositionCache(folder, bytes - 1);
    expect(await small.put(hash(2), 'float32', await sample())).toBe(false);
    expect(readdirSync(small.folder)).toEqual([`${hash(1)}-float32.svd`]);
    expect(small.problem).toBeNull();
  });

  it('goes on without what cannot be written, and says why', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'decompositions'), 'a file where the folder should be');
    const cache = new DecompositionCache(folder, 1e6);
    expect(await cache.put(hash(1), 'float32', await sample())).toBe(false);
    expect(cache.problem).toMatch(/EEXIST|ENOTDIR/);
    expect(await cache.get(hash(1), 'float32')).toBeNull();
  });

  it('clears away what a killed process left, not what another one is writing', async () => {
    const folder = emptyFolder();
    const cache = new DecompositionCache(folder, 1e6);
    await cache.put(hash(1), 'float32', await sample());
    const [old, fresh] = ['old', 'fresh'].map((name) => join(cache.folder, `${name}.partial`)) as [string, string];
    for (const file of [old, fresh]) writeFileSync(file, 'half');
    const yesterday = new Date(Date.now() - 86_400_000);
    utimesSync(old, yesterday, yesterday);
    await new DecompositionCache(folder, 1e6).put(hash(2), 'float32', await sample());
    expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
  });

  it('is never seen half written by others, killed writers included', async () => {
    const folder = emptyFolder();
    const entry = new URL('./cacheWriter.ts', import.meta.url);
    const writers = ['a', 'b', 'c'].map((key) => fork(entry, [folder, key], { execArgv: [] }));
    const ended = Promise.all(writers.map((writer) => once(writer, 'exit')));
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    // every writer puts its own numbers under the same name: whichever it is, it is whole
    const cache = new DecompositionCache(folder, 1e9);
    const seen = new Set<number>();
    for (let i = 0; i < 150; i++) {
      const found = await cache.get(hash(7), 'float32');
      expect(found).not.toBeNull();
      const { s, u, vt } = found!;
      expect([...s, ...u, ...vt].every((x) => x === s[0])).toBe(true);
      seen.add(s[0]!);
    }
    expect(seen.size).toBeGreaterThan(1);
    for (const writer of writers) writer.kill('SIGKILL');
    await ended;
    expect(await cache.get(hash(7), 'float32')).not.toBeNull();
  });

  it('recovers a truncated file by computing it again', async () => {
    const cache = new DecompositionCache(emptyFolder(), 1e6);
    await cache.put(hash(1), 'float32', await sample());
    truncateSync(fileOf(cache, 1), bytes - 4);
    expect(await cache.get(hash(1), 'float32')).toBeNull();
    await cache.put(hash(1), 'float32', await sample());
    expect(await cache.get(hash(1), 'float32')).toEqual(await sample());
  });
});
