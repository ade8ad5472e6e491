import { mkdirSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../../main/contract/errors.ts';
import type { Precision } from '../../../../main/contract/spectral.ts';
import { linearAlgebraBackend } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { decomposeAsync, type Factorisation } from '../../../../main/ml/spectral/decompose.ts';
import { Decomposer } from '../../../../main/ml/spectral/decomposer.ts';
import { DecompositionCache } from '../../../../main/ml/spectral/decompositionCache.ts';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { sideBySide } from '../../../../main/ml/spectral/sideBySide.ts';
import { svdKernels, type SvdKernel } from '../../../../main/ml/spectral/svdKernels.ts';
import { openTensorSource, type TensorSource } from '../../../../main/ml/spectral/tensorSource.ts';
import { writeSafetensors } from '../../../../main/ml/safetensors/writer.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const folder = temporaryFolder('decomposer');
const shapes = { q: [96, 96], k: [24, 96], gate: [260, 96], down: [96, 260] } as const;
const nameOf = (matrix: string): string =>
  `model.layers.0.${['q', 'k'].includes(matrix) ? 'self_attn' : 'mlp'}.${matrix}_proj.weight`;
const names = Object.keys(shapes).map(nameOf);

async function writeCheckpoint(path: string, edit?: (name: string, data: Float32Array) => void): Promise<string> {
  mkdirSync(path, { recursive: true });
  const tensors = Object.entries(shapes).map(([matrix, shape]) => {
    const data = new Philox('decomposer', matrix).gaussians(shape[0] * shape[1]);
    edit?.(nameOf(matrix), data);
    return [nameOf(matrix), { shape: [...shape], data }] as const;
  });
  await writeSafetensors(join(path, 'model.safetensors'), new Map(tensors));
  return path;
}

let source: TensorSource;
beforeAll(async () => {
  source = await openTensorSource(await writeCheckpoint(join(folder, 'checkpoint')));
});

/** Counts what is read beyond hashes. */
function counting(inner: TensorSource): TensorSource & { reads: number } {
  const counted = {
    folder: inner.folder,
    targets: inner.targets,
    reads: 0,
    shape: (name: string) => inner.shape(name),
    hash: (name: string) => inner.hash(name),
    read: (name: string) => (counted.reads++, inner.read(name)),
    readRows: (name: string, from: number, count: number) => inner.readRows(name, from, count),
    readInto: (name: string, from: number, into: Float32Array | Float64Array) => (
      counted.reads++,
      inner.readInto(name, from, into)
    ),
    close: () => inner.close(),
  };
  return counted;
}

/** u_i v_i^T of each singular value: what does not depend on signs. */
function expectSame<P extends Precision>(actual: Factorisation, expected: Factorisation, precision: P): void {
  const tolerance = precision === 'float32' ? 2e-5 : 1e-12;
  const scale = expected.s[0]!;
  expect(Math.max(...actual.s.map((s, i) => Math.abs(s - expected.s[i]!)))).toBeLessThan(tolerance * scale);
  for (let i = 0; i < actual.rank; i++) {
    let [left, right] = [0, 0];
    for (let r = 0; r < actual.rows; r++) left += actual.u[r * actual.rank + i]! * expected.u[r * actual.rank + i]!;
    for (let c = 0; c < actual.columns; c++)
      right += actual.vt[i * actual.columns + c]! * expected.vt[i * actual.columns + c]!;
    expect(left * right).toBeGreaterThan(1 - (precision === 'float32' ? 1e-3 : 1e-9));
  }
}

describe.each(['float32', 'float64'] as const)('decompositions of a checkpoint on disk, %s', (precision) => {
  it.each(names)('%s in place equals the one in memory', async (name) => {
    const expected = await decomposeAsync(await source.read(name), precision);
    const inPlace = new Decomposer({ precision, cache: null, exactElements: 0 });
    const actual = await inPlace.factorisation(source, name);
    expect(actual).toMatchObject({ rows: expected.rows, columns: expected.columns, rank: expected.rank });
    expectSame(actual, expected, precision);
    // eight probes: a quarter at worst, a few per cent as a rule
    expect(actual.residual / expected.residual).toBeGreaterThan(0.7);
    expect(actual.residual / expected.residual).toBeLessThan(1.4);
    expect(actual.orthogonality / expected.orthogonality).toBeGreaterThan(0.7);
    expect(actual.orthogonality / expected.orthogonality).toBeLessThan(1.4);
  });

  it('small ones equal those in memory bit for bit', async () => {
    for (const name of names) {
      const { weight: _, ...expected } = await decomposeAsync(await source.read(name), precision);
      expect(await new Decomposer({ precision, cache: null }).factorisation(source, name)).toEqual(expected);
    }
  });

  it('from the cache equal the computed ones bit for bit, and the weights are not read', async () => {
    const cache = new DecompositionCache(join(folder, `cached-${precision}`), 1e8);
    for (const exactElements of [0, 1e6]) {
      rmSync(cache.folder, { recursive: true, force: true });
      const counted = counting(source);
      for (const name of names) {
        const decomposer = new Decomposer({ precision, cache, exactElements });
        const computed = await decomposer.factorisation(counted, name);
        await decomposer.settle();
        const reads = counted.reads;
        const cached = await new Decomposer({ precision, cache }).factorisation(counted, name);
        expect(cached).toEqual(computed);
        expect(counted.reads).toBe(reads);
      }
    }
  });
});

describe('a decomposer', () => {
  it('computes a damaged one again', async () => {
    const cache = new DecompositionCache(join(folder, 'damaged'), 1e8);
    const decomposer = new Decomposer({ precision: 'float32', cache });
    const expected = await decomposer.factorisation(source, names[0]!);
    await decomposer.settle();
    truncateSync(join(cache.folder, readdirSync(cache.folder)[0]!), 1000);
    expect(await decomposer.factorisation(source, names[0]!)).toEqual(expected);
    await decomposer.settle();
    expect(await cache.get(await source.hash(names[0]!), 'float32')).toEqual(expected);
  });

  it('computes equal tensors that are asked for together once', async () => {
    const counted = counting(source);
    const decomposer = new Decomposer({ precision: 'float32', cache: null });
    const [a, b] = await Promise.all([1, 2].map(() => decomposer.factorisation(counted, names[0]!)));
    expect(a).toBe(b);
    expect(counted.reads).toBe(1);
  });

  it.each([0, 1e6])('names weight, row and column of what is not finite (exact up to %d)', async (exactElements) => {
    const path = await writeCheckpoint(join(folder, `nan-${exactElements}`), (name, data) => {
      if (name === nameOf('gate')) data[96 * 7 + 5] = Number.NaN;
    });
    const broken = await openTensorSource(path);
    const decomposer = new Decomposer({ precision: 'float32', cache: null, exactElements });
    const failure = decomposer.factorisation(broken, nameOf('gate'));
    await expect(failure).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringMatching(/gate_proj.*row 7, column 5/) as string,
      details: { weight: nameOf('gate'), row: 7, column: 5 },
    });
    await broken.close();
  });

  it('starts nothing after an abort, and keeps what was computed before', async () => {
    const cache = new DecompositionCache(join(folder, 'cancelled'), 1e8);
    const abort = new AbortController();
    const decomposer = new Decomposer({ precision: 'float32', cache, signal: abort.signal });
    const visited: string[] = [];
    const run = sideBySide(
      names,
      1,
      async (name) => {
        await decomposer.factorisation(source, name);
        visited.push(name);
        if (visited.length === 2) abort.abort();
      },
      abort.signal,
    );
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(visited).toEqual(names.slice(0, 2));
    await expect(decomposer.factorisation(source, names[2]!)).rejects.toMatchObject({ code: 'CANCELLED' });
    await decomposer.settle();
    expect(readdirSync(cache.folder)).toHaveLength(2);
    const counted = counting(source);
    const resumed = new Decomposer({ precision: 'float32', cache });
    for (const name of names) await resumed.factorisation(counted, name);
    expect(counted.reads).toBe(names.length - 2);
  });

  it.runIf(linearAlgebraBackend() === 'openblas')('has kernels that agree', async () => {
    const kernels = await svdKernels('float64');
    expect(kernels.map(({ name }) => name)).toEqual(['openblas', 'typescript']);
    const matrix = { rows: 20, columns: 33, data: Float64Array.from(new Philox('kernels').gaussians(660)) };
    const [a, b] = await Promise.all(kernels.map(({ svd }) => svd({ ...matrix, data: matrix.data.slice() })));
    const checks = { residual: 0, orthogonality: 0 };
    expectSame({ ...a!, ...checks }, { ...b!, ...checks }, 'float64');
  });

  it('reads the matrix again for the next kernel where one has failed on it', async () => {
    const failing: SvdKernel = {
      name: 'openblas',
      svd: ({ data }) => {
        data.fill(0);
        return Promise.reject(new AppError('COMPUTE_FAILED', 'no convergence'));
      },
    };
    const kernels = [failing, ...(await svdKernels('float64'))];
    const decomposer = new Decomposer({ precision: 'float64', cache: null, exactElements: 0, kernels });
    const expected = await decomposeAsync(await source.read(names[1]!), 'float64');
    const actual = await decomposer.factorisation(source, names[1]!);
    expectSame(actual, expected, 'float64');
    expect(actual.residual).toBeLessThan(1e-14);
    const hopeless = new Decomposer({ precision: 'float64', cache: null, exactElements: 0, kernels: [failing] });
    await expect(hopeless.factorisation(source, names[1]!)).rejects.toMatchObject({ code: 'COMPUTE_FAILED' });
  });
});

describe('side by side', () => {
  it('visits all, never more at once than threads, in order', async () => {
    let [running, most] = [0, 0];
    const started: number[] = [];
    await sideBySide([3, 1, 2, 5, 4], 2, async (ms, index) => {
      most = Math.max(most, ++running);
      started.push(index);
      await new Promise((resolve) => setTimeout(resolve, ms));
      running--;
    });
    expect(most).toBe(2);
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  it('waits for what runs before it throws the first failure', async () => {
    let finished = 0;
    const work = sideBySide([0, 10, 20, 30], 2, async (ms, index) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (index === 0) throw new AppError('NOT_FOUND', 'the first');
      finished++;
    });
    await expect(work).rejects.toThrow('the first');
    expect(finished).toBe(1);
  });
});
