/**
 * Residual and orthogonality of a large decomposition for a few per cent of its time, from random probes.
 *
 * For a matrix E and a vector x of independent random signs, E[||E x||^2] = ||E||_F^2 (Hutchinson, "A stochastic estimator of
 * the trace of the influence matrix", 1990). With p probes the estimate of ||E||_F^2 has a relative standard deviation of at
 * most sqrt(2 / p), reached when E has rank one, and about sqrt(2 / (p k)) when E spreads over k directions, as rounding does:
 * p = 8 gives the norms to 25 % at worst, to about 2 % on real matrices. Like the exact check, it includes the rounding of
 * its own products. The signs are the same for every matrix of a shape: the same weights give the same figures.
 */
import { newLike, requireFiniteMatrix, type RealArray, type Strided, type Svd } from '../../compute/lapack.ts';
import { Philox } from '../random/philox.ts';
import type { Factorisation } from './decompose.ts';
import { addProductAsync, frobeniusNorm, type Matrix } from './linearAlgebra.ts';

const probes = 8;

/**
 * W X [rows, probes] of the probes X [columns, probes]: taken before the decomposition destroys W.
 * @throws NOT_FINITE with row and column. A row of W that is not finite gives a row that is not, so that a second pass over
 * W is only needed to say where.
 */
export async function probeImage<T extends RealArray>({ rows, columns, data }: Matrix<T>): Promise<T> {
  const image = newLike(data, rows * probes);
  const x = randomSigns(data, columns);
  await addProductAsync(image, 1, { data, stride: columns }, { data: x, stride: probes }, [rows, columns, probes]);
  if (!image.every(Number.isFinite)) requireFiniteMatrix(data, rows, columns);
  return image;
}

/**
 * Passes over u and vt are what costs time, so that products which do not need each other share one.
 * @param image what `probeImage` gave for the matrix
 */
export async function probedChecks<T extends RealArray>(
  svd: Svd<T>,
  image: T,
): Promise<Pick<Factorisation, 'residual' | 'orthogonality'>> {
  const { rows, columns, rank, u, s, vt } = svd;
  const z = randomSigns(s, rank);
  const vz = await product({ data: vt, stride: columns, transpose: true }, z, [columns, rank]);
  const [vtx, vtvz] = await twoProducts({ data: vt, stride: columns }, [randomSigns(s, columns), vz], [rank, columns]);
  for (let i = 0; i < vtx.length; i++) vtx[i]! *= s[Math.floor(i / probes)]!;
  const [rebuilt, uz] = await twoProducts({ data: u, stride: rank }, [vtx, z], [rows, rank]);
  const utuz = await product({ data: u, stride: rank, transpose: true }, uz, [rank, rows]);
  // ||W||_F = ||s||, to rounding
  const size = frobeniusNorm(s);
  const residual = size === 0 ? 0 : estimatedNorm(rebuilt, image) / size;
  return { residual, orthogonality: Math.max(estimatedNorm(utuz, z), estimatedNorm(vtvz, z)) };
}

/** ||E||_F from E X = a - b. */
function estimatedNorm(a: RealArray, b: RealArray): number {
  return frobeniusNorm(a.map((x, i) => x - b[i]!)) / Math.sqrt(probes);
}

/** op(a) b: op(a) [m, inner], b [inner, probes]. */
async function product<T extends RealArray>(a: Strided<T>, b: T, [m, inner]: [number, number]): Promise<T> {
  const out = newLike(b, m * probes);
  await addProductAsync(out, 1, a, { data: b, stride: probes }, [m, inner, probes]);
  return out;
}

/** The products of `a` with two such b, in one pass over it. */
async function twoProducts<T extends RealArray>(
  a: Strided<T>,
  [b, c]: [T, T],
  [m, inner]: [number, number],
): Promise<[T, T]> {
  const both = newLike(b, inner * 2 * probes);
  for (let i = 0; i < inner; i++) {
    both.set(b.subarray(i * probes, (i + 1) * probes), 2 * i * probes);
    both.set(c.subarray(i * probes, (i + 1) * probes), (2 * i + 1) * probes);
  }
  const out = newLike(b, m * 2 * probes);
  await addProductAsync(out, 1, a, { data: both, stride: 2 * probes }, [m, inner, 2 * probes]);
  const [first, second] = [newLike(b, m * probes), newLike(b, m * probes)];
  for (let i = 0; i < m; i++) {
    first.set(out.subarray(2 * i * probes, (2 * i + 1) * probes), i * probes);
    second.set(out.subarray((2 * i + 1) * probes, (2 * i + 2) * probes), i * probes);
  }
  return [first, second];
}

/** Made once for a length and precision; a model has a handful. */
const signs = new Map<string, RealArray>();

/** [length, probes] of 1 and -1, in the precision of `like`. */
function randomSigns<T extends RealArray>(like: T, length: number): T {
  const key = `${like.BYTES_PER_ELEMENT} ${length}`;
  let found = signs.get(key) as T | undefined;
  if (!found) signs.set(key, (found = makeSigns(like, length)));
  return found;
}

function makeSigns<T extends RealArray>(like: T, length: number): T {
  const random = new Philox('decompositionProbes', length);
  const made = newLike(like, length * probes);
  for (let i = 0, bits = 0; i < made.length; i++, bits >>>= 1) {
    if (i % 32 === 0) bits = random.uint32();
    made[i] = bits & 1 ? 1 : -1;
  }
  return made;
}
