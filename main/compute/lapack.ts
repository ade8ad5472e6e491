/**
 * Dense linear algebra of the machine's CPU: LAPACK and BLAS of OpenBLAS (PyPI `scipy-openblas32`), called through koffi.
 *
 * Matrices are row-major here and column-major there. A row-major A [m, n] read column-major is A^T [n, m], whose SVD is
 * V S U^T: so gesdd of A^T writes `vt` where it puts its U and `u` where it puts its V^T, and nothing has to be transposed
 * (`svdInPlaceAsync` does it for tall matrices, where it pays).
 *
 * OpenBLAS gets one thread: a second one spins while it waits and is up to ten times slower on a busy machine. Parallel
 * work goes over matrices (`svdAsync`, one thread each) rather than inside one.
 */
import type { KoffiFunc } from 'koffi';
import { AppError } from '../contract/errors.ts';
import { openLibrary, type Gesdd, type RealArray } from './lapackLibrary.ts';

export type { RealArray };

/** Thin SVD A = u diag(s) vt with rank = min(rows, columns): u [rows, rank], s [rank] descending, vt [rank, columns]. */
export interface Svd<T extends RealArray = RealArray> {
  rows: number;
  columns: number;
  rank: number;
  u: T;
  s: T;
  vt: T;
}

export interface LapackStatus {
  ready: boolean;
  libraryPath: string | null;
  /** What OpenBLAS says of itself (version, kernels), or null. */
  configuration: string | null;
  reason: string | null;
  nextStep: string | null;
}

/** Zeros in the precision of `a`. */
export function newLike<T extends RealArray>(a: T, length: number): T {
  return (a instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)) as T;
}

const COLUMN_MAJOR = 102;
const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;
/** Jobs of gesdd: the first min(m, n) singular vectors, or none. */
const THIN = 'S'.charCodeAt(0);
/** Job 'O': the same, the larger of the two written over the matrix. */
const OVERWRITE = 'O'.charCodeAt(0);
const VALUES_ONLY = 'N'.charCodeAt(0);

/** Whether LAPACK can be used here, and if not why and what to do. Never throws. */
export function lapackStatus(): LapackStatus {
  try {
    const { libraryPath, configuration } = openLibrary();
    return { ready: true, libraryPath, configuration, reason: null, nextStep: null };
  } catch (error) {
    const { message, hint } = error as AppError;
    return { ready: false, libraryPath: null, configuration: null, reason: message, nextStep: hint ?? null };
  }
}

/**
 * @throws SHAPE_MISMATCH the array does not have rows x columns elements, or one of them is not a positive integer
 * @throws NOT_FINITE the first NaN or infinity, with its row and column
 */
export function requireFiniteMatrix(a: RealArray, rows: number, columns: number): void {
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || rows < 1 || columns < 1 || a.length !== rows * columns)
    throw new AppError('SHAPE_MISMATCH', `A [${rows}, ${columns}] matrix cannot have ${a.length} elements.`, {
      hint: 'The shape and the data have to come from the same tensor.',
      details: { rows, columns, length: a.length },
    });
  if (allFinite(a)) return;
  const index = a.findIndex((x) => !Number.isFinite(x));
  const row = Math.floor(index / columns);
  const column = index % columns;
  throw new AppError('NOT_FINITE', `The matrix holds ${a[index]} at row ${row}, column ${column}.`, {
    hint: 'A decomposition needs finite numbers: check the checkpoint for a diverged training run.',
    details: { index, row, column },
  });
}

/** By sums of x - x, which is NaN where x is not finite: four at once take half the time that a test of each does. */
function allFinite(a: RealArray): boolean {
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let i = 0; i < whole; i += 4) {
    sum0 += a[i]! - a[i]!;
    sum1 += a[i + 1]! - a[i + 1]!;
    sum2 += a[i + 2]! - a[i + 2]!;
    sum3 += a[i + 3]! - a[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) sum0 += a[i]! - a[i]!;
  return sum0 + sum1 + sum2 + sum3 === 0;
}

interface GesddCall<T extends RealArray> {
  out: Svd<T>;
  args: Parameters<Gesdd>;
}

/** Everything gesdd reads and writes; `a` is a copy, since gesdd destroys it. */
function prepare<T extends RealArray>(a: T, rows: number, columns: number): GesddCall<T> {
  requireFiniteMatrix(a, rows, columns);
  const rank = Math.min(rows, columns);
  const make = (length: number): T => newLike(a, length);
  const out: Svd<T> = { rows, columns, rank, u: make(rows * rank), s: make(rank), vt: make(rank * columns) };
  return {
    out,
    args: [COLUMN_MAJOR, THIN, columns, rows, a.slice(), columns, out.s, out.vt, columns, out.u, rank],
  };
}

function checkInfo(info: number, rows: number, columns: number): void {
  if (info === 0) return;
  const fact = info > 0 ? 'did not converge' : `refused argument ${-info}`;
  throw new AppError(
    'COMPUTE_FAILED',
    `The SVD of a [${rows}, ${columns}] matrix ${fact} (LAPACK gesdd, info ${info}).`,
    {
      hint: 'Our own Jacobi SVD converges for every finite matrix and is used in its place where there is one.',
      details: { info, rows, columns },
    },
  );
}

/**
 * Thin SVD by divide and conquer (gesdd), in the precision of `a` [rows, columns], row-major; `a` is left as it is.
 * @throws NOT_FINITE | SHAPE_MISMATCH | COMPUTE_UNAVAILABLE | COMPUTE_FAILED (no convergence)
 */
export function svd<T extends RealArray>(a: T, rows: number, columns: number): Svd<T> {
  const { sgesdd, dgesdd } = openLibrary();
  const { out, args } = prepare(a, rows, columns);
  checkInfo((a instanceof Float32Array ? sgesdd : dgesdd)(...args), rows, columns);
  return out;
}

/** The same on a thread of its own; several may run at once. @throws as `svd`, by rejection */
export async function svdAsync<T extends RealArray>(a: T, rows: number, columns: number): Promise<Svd<T>> {
  return gesddAsync(a, prepare(a, rows, columns));
}

/**
 * The same with less memory, for an `a` that is known to be finite: it is destroyed and becomes `vt` (rows <= columns) or `u`. Beside it gesdd needs one square
 * of the short side for the other factor and five for its work.
 * @throws as `svd`, by rejection, except that infinities are not looked for
 */
export async function svdInPlaceAsync<T extends RealArray>(a: T, rows: number, columns: number): Promise<Svd<T>> {
  return rows <= columns ? wideInPlace(a, rows, columns) : tallInPlace(a, rows, columns);
}

/** vt takes the place of `a`; with job 'O' gesdd does not touch the argument that would have been it. */
async function wideInPlace<T extends RealArray>(a: T, rows: number, columns: number): Promise<Svd<T>> {
  const [u, s, unused] = [newLike(a, rows * rows), newLike(a, rows), newLike(a, 1)];
  return gesddAsync(a, {
    out: { rows, columns, rank: rows, u, s, vt: a },
    args: [COLUMN_MAJOR, OVERWRITE, columns, rows, a, columns, s, unused, columns, u, rows],
  });
}

/**
 * u takes the place of `a`, which is transposed before and after: gesdd is a fifth to a quarter faster when what it sees is
 * tall too (it begins with QR, else with LQ), and the transpositions cost 5 % of that.
 */
async function tallInPlace<T extends RealArray>(a: T, rows: number, columns: number): Promise<Svd<T>> {
  const [vt, s, unused] = [newLike(a, columns * columns), newLike(a, columns), newLike(a, 1)];
  await transposeInPlace(a, rows, columns);
  const result = await gesddAsync(a, {
    out: { rows, columns, rank: columns, u: a, s, vt },
    args: [COLUMN_MAJOR, OVERWRITE, rows, columns, a, rows, s, unused, rows, vt, columns],
  });
  await transposeInPlace(a, columns, rows);
  await transposeInPlace(vt, columns, columns);
  return result;
}

/** a [rows, columns] becomes [columns, rows]. */
async function transposeInPlace(a: RealArray, rows: number, columns: number): Promise<void> {
  const { simatcopy, dimatcopy } = openLibrary();
  const call = a instanceof Float32Array ? simatcopy : dimatcopy;
  await onThread(call, [ROW_MAJOR, TRANSPOSE, rows, columns, 1, a, columns, rows]);
}

async function gesddAsync<T extends RealArray>(a: T, { out, args }: GesddCall<T>): Promise<Svd<T>> {
  const { sgesdd, dgesdd } = openLibrary();
  checkInfo(await onThread(a instanceof Float32Array ? sgesdd : dgesdd, args), out.rows, out.columns);
  return out;
}

/** Singular values alone, descending; `a` is destroyed. @throws as `svd`, by rejection */
export async function singularValuesAsync<T extends RealArray>(a: T, rows: number, columns: number): Promise<T> {
  requireFiniteMatrix(a, rows, columns);
  const s = newLike(a, Math.min(rows, columns));
  const unused = newLike(a, 1);
  const out = { rows, columns, rank: s.length, u: unused, s, vt: unused };
  const args: Parameters<Gesdd> = [COLUMN_MAJOR, VALUES_ONLY, columns, rows, a, columns, s, unused, columns, unused, s.length]; // prettier-ignore
  return (await gesddAsync(a, { out, args })).s;
}

/** Calls on a thread of libuv's pool. */
function onThread<A extends unknown[], R>(call: KoffiFunc<(...args: A) => R>, args: A): Promise<R> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, value: R) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

/**
 * Q of A = QR with every diagonal entry of R >= 0, which makes it unique for full column rank (so Q = A when A's columns
 * are orthonormal already). a: [rows, columns], rows >= columns. Returns Q [rows, columns].
 * @throws NOT_FINITE | SHAPE_MISMATCH | COMPUTE_UNAVAILABLE
 */
export function signFixedQ<T extends RealArray>(a: T, rows: number, columns: number): T {
  const { sgeqrf, dgeqrf, sorgqr, dorgqr } = openLibrary();
  requireFiniteMatrix(a, rows, columns);
  if (rows < columns)
    throw new AppError('SHAPE_MISMATCH', `A thin QR needs rows >= columns, not [${rows}, ${columns}].`);
  const [geqrf, orgqr] = a instanceof Float32Array ? [sgeqrf, sorgqr] : [dgeqrf, dorgqr];
  const q = a.slice() as T;
  const tau = newLike(a, columns);
  checkQrInfo(geqrf(ROW_MAJOR, rows, columns, q, columns, tau));
  const negative = Array.from({ length: columns }, (_, j) => q[j * columns + j]! < 0);
  checkQrInfo(orgqr(ROW_MAJOR, rows, columns, columns, q, columns, tau));
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) if (negative[j]) q[i * columns + j]! *= -1;
  return q;
}

function checkQrInfo(info: number): void {
  if (info !== 0) throw new AppError('COMPUTE_FAILED', `LAPACK refused argument ${-info} of a QR decomposition.`);
}

/** op(a) op(b), where op transposes when asked: op(a) [m, k], op(b) [k, n], row-major. Returns [m, n]. @throws COMPUTE_UNAVAILABLE */
export function gemm<T extends RealArray>(
  a: T,
  b: T,
  [m, k, n]: [m: number, k: number, n: number],
  transpose: { a?: boolean; b?: boolean } = {},
): T {
  const { sgemm, dgemm } = openLibrary();
  const out = newLike(a, m * n);
  if (k === 0) return out;
  const opA = transpose.a ? TRANSPOSE : NO_TRANSPOSE;
  const opB = transpose.b ? TRANSPOSE : NO_TRANSPOSE;
  const call = a instanceof Float32Array ? sgemm : dgemm;
  call(ROW_MAJOR, opA, opB, m, n, k, 1, a, transpose.a ? m : k, b, transpose.b ? k : n, 0, out, n);
  return out;
}

/** A row-major matrix, or part of a wider one: rows begin `stride` elements apart. */
export interface Strided<T extends RealArray> {
  data: T;
  stride: number;
  transpose?: boolean;
}

/** c += alpha op(a) op(b) on a thread of its own: op(a) [m, k], op(b) [k, n], c [m, n]. @throws COMPUTE_UNAVAILABLE, by rejection */
export async function addProductAsync<T extends RealArray>(
  c: T,
  alpha: number,
  a: Strided<T>,
  b: Strided<T>,
  [m, k, n]: [m: number, k: number, n: number],
): Promise<void> {
  const { sgemm, dgemm } = openLibrary();
  if (k === 0) return;
  const opA = a.transpose ? TRANSPOSE : NO_TRANSPOSE;
  const opB = b.transpose ? TRANSPOSE : NO_TRANSPOSE;
  const call = c instanceof Float32Array ? sgemm : dgemm;
  await onThread(call, [ROW_MAJOR, opA, opB, m, n, k, alpha, a.data, a.stride, b.data, b.stride, 1, c, n]);
}
