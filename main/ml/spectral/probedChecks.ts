/**
 * Residual and orthogonality of a large decomposition for a few per cent of its time, from random probes.
 *
 * For a matrix E and a vector x of independent random signs, E[||E x||^2] = ||E||_F^2 (Hutchinson, "A stochastic estimator of
 * the trace of the influence matrix", 1990). With p probes the estimate of ||E||_F^2 has a relative standard deviation of at
 * most sqrt(2 / p), reached when E has rank one, and about sqrt(2 / (p k)) when E spreads over k directions, as rounding does:
 * p = 8 gives the norms to 25 % at worst, to about 2 % on real matrices. Like the exact check, it includes the rounding of
 * its own products. The signs are the same for every matrix of a shape: the same weights give the same figures.
 */
import { newLike, type RealArray, type Svd } from '../../compute/lapack.ts';
import { Philox } from '../random/philox.ts';
import type { Factorisation } from './decompose.ts';
import { addProductAsync, frobeniusNorm, type Matrix } from './linearAlgebra.ts';

const probes = 8;

/** W X [rows, probes] of the probes X [columns, probes]: taken before the decomposition destroys W. */
export async function probeImage<T extends RealArray>({ rows, columns, data }: Matrix<T>): Promise<T> {
  const image = newLike(data, rows * probes);
  const x = randomSigns(data, columns);
  await addProductAsync(image, 1, { data, stride: columns }, { data: x, stride: probes }, [rows, columns, probes]);
  return image;
}

/** @param image what `probeImage` gave for the matrix; overwritten */
export async function probedChecks<T extends RealArray>(
  svd: Svd<T>,
  image: T,
): Promise<Pick<Factorisation, 'residual' | 'orthogonality'>> {
  const { rows, columns, rank, u, s, vt } = svd;
  // ||W||_F = ||s||, to rounding
  const size = frobeniusNorm(s);
  const inner = newLike(s, rank * probes);
  const x = { data: randomSigns(s, columns), stride: probes };
  await addProductAsync(inner, 1, { data: vt, stride: columns }, x, [rank, columns, probes]);
  for (let i = 0; i < inner.length; i++) inner[i]! *= s[Math.floor(i / probes)]!;
  await addProductAsync(image, -1, { data: u, stride: rank }, { data: inner, stride: probes }, [rows, rank, probes]);
  const residual = size === 0 ? 0 : frobeniusNorm(image) / Math.sqrt(probes) / size;
  const left = await defect(u, { stride: rank, transpose: false }, rows, rank);
  const right = await defect(vt, { stride: columns, transpose: true }, columns, rank);
  return { residual, orthogonality: Math.max(left, right) };
}

/** The estimate of ||Q^T Q - I||_F, Q [length, rank]; `transpose`: the data hold Q^T. */
async function defect<T extends RealArray>(
  data: T,
  { stride, transpose }: { stride: number; transpose: boolean },
  length: number,
  rank: number,
): Promise<number> {
  const z = randomSigns(data, rank);
  const product = newLike(data, length * probes);
  const rest = newLike(data, z.length).map((_, i) => -z[i]!) as T;
  const narrow = { data: product, stride: probes };
  await addProductAsync(product, 1, { data, stride, transpose }, { data: z, stride: probes }, [length, rank, probes]);
  await addProductAsync(rest, 1, { data, stride, transpose: !transpose }, narrow, [rank, length, probes]);
  return frobeniusNorm(rest) / Math.sqrt(probes);
}

/** [length, probes] of 1 and -1, in the precision of `like`. */
function randomSigns<T extends RealArray>(like: T, length: number): T {
  const random = new Philox('decompositionProbes', length);
  const signs = newLike(like, length * probes);
  for (let i = 0, bits = 0; i < signs.length; i++, bits >>>= 1) {
    if (i % 32 === 0) bits = random.uint32();
    signs[i] = bits & 1 ? 1 : -1;
  }
  return signs;
}
