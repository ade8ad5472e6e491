/** The plain TypeScript path, in a process whose cache holds no library. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import type { Matrix } from '../../../../main/ml/spectral/linearAlgebra.ts';

const emptyCache = mkdtempSync(join(tmpdir(), 'rotascope-no-lapack-'));
process.env['ROTASCOPE_CACHE'] = emptyCache;
afterAll(() => rmSync(emptyCache, { recursive: true, force: true }));

function gaussian(rows: number, columns: number, key: string): Matrix {
  return { rows, columns, data: Float64Array.from(new Philox(key).gaussians(rows * columns)) };
}

describe('without LAPACK', () => {
  let algebra: typeof import('../../../../main/ml/spectral/linearAlgebra.ts');
  let lapack: typeof import('../../../../main/compute/lapack.ts');
  beforeAll(async () => {
    lapack = await import('../../../../main/compute/lapack.ts');
    algebra = await import('../../../../main/ml/spectral/linearAlgebra.ts');
  });

  it('says so, with the next step', () => {
    expect(algebra.linearAlgebraBackend()).toBe('typescript');
    expect(lapack.lapackStatus()).toMatchObject({ ready: false, libraryPath: null });
    expect(lapack.lapackStatus().nextStep).toBeTruthy();
    expect(() => lapack.svd(new Float64Array(4), 2, 2)).toThrow(
      expect.objectContaining({ code: 'COMPUTE_UNAVAILABLE' }),
    );
  });

  it('decomposes by Jacobi', async () => {
    const a = gaussian(9, 14, 'a');
    const { u, s, vt, rank } = algebra.thinSvd(a);
    expect(await algebra.thinSvdAsync(a)).toEqual(algebra.thinSvd(a));
    const scaled = { rows: 9, columns: rank, data: u.map((x, i) => x * s[i % rank]!) };
    const rebuilt = algebra.multiply(scaled, { rows: rank, columns: 14, data: vt });
    expect(algebra.frobeniusNorm(algebra.subtract(rebuilt, a).data)).toBeLessThan(1e-13);
    expect(() => algebra.thinSvd({ ...a, data: a.data.with(3, NaN) })).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
  });

  it('multiplies with either factor transposed', () => {
    const [a, b] = [gaussian(3, 5, 'a'), gaussian(3, 4, 'b')];
    const product = algebra.multiply(a, b, { a: true });
    let entry = 0;
    for (let i = 0; i < 3; i++) entry += a.data[i * 5 + 2]! * b.data[i * 4 + 1]!;
    expect(product.data[2 * 4 + 1]).toBeCloseTo(entry, 14);
    const twice = algebra.multiply(algebra.transposed(a), algebra.transposed(b), { b: true });
    expect([...twice.data]).toEqual([...product.data]);
    expect(() => algebra.multiply(a, a)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });

  it('has the sign-fixed Q: orthonormal, upper triangular R with a positive diagonal', () => {
    const a = gaussian(8, 5, 'qr');
    const q = algebra.signFixedQ(a);
    expect(algebra.orthogonalityDefect(q)).toBeLessThan(1e-14);
    const r = algebra.multiply(q, a, { a: true });
    for (let i = 0; i < 5; i++) {
      expect(r.data[i * 5 + i]).toBeGreaterThan(0);
      for (let j = 0; j < i; j++) expect(Math.abs(r.data[i * 5 + j]!)).toBeLessThan(1e-13);
    }
  });
});
