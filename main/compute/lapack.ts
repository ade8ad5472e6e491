/**
 * Dense linear algebra of the machine's CPU: LAPACK and BLAS of OpenBLAS (PyPI `scipy-openblas32`), called through koffi.
 *
 * Matrices are row-major here and column-major there. A row-major A [m, n] read column-major is A^T [n, m], whose SVD is
 * V S U^T: so gesdd of A^T writes `vt` where it puts its U and `u` where it puts its V^T, and nothing is transposed.
 *
 * OpenBLAS gets one thread: a second one spins while it waits and is up to ten times slower on a busy machine. Parallel
 * work goes over matrices (`svdAsync`, one thread each) rather than inside one.
 */
import type { KoffiFunc, LibraryHandle } from 'koffi';
import { nativeStatus } from '../bootstrap/native.mjs';
import { AppError } from '../contract/errors.ts';
import koffi from './koffi.ts';

export type RealArray = Float32Array | Float64Array;

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

type KoffiFunction = ReturnType<LibraryHandle['func']>;

const COLUMN_MAJOR = 102;
const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;
/** Jobs of gesdd: the first min(m, n) singular vectors, or none. */
const THIN = 'S'.charCodeAt(0);
/** Job 'O': the same, the larger of the two written over the matrix. */
const OVERWRITE = 'O'.charCodeAt(0);
const VALUES_ONLY = 'N'.charCodeAt(0);

type Gesdd = (
  layout: number,
  job: number,
  m: number,
  n: number,
  a: RealArray,
  lda: number,
  s: RealArray,
  u: RealArray,
  ldu: number,
  vt: RealArray,
  ldvt: number,
) => number;

type Geqrf = (layout: number, m: number, n: number, a: RealArray, lda: number, tau: RealArray) => number;
type Orgqr = (layout: number, m: number, n: number, k: number, a: RealArray, lda: number, tau: RealArray) => number;
type Gemm = KoffiFunc<(...scalarsAndArrays: (number | RealArray)[]) => void>;

interface Library {
  libraryPath: string;
  configuration: string;
  sgesdd: KoffiFunc<Gesdd>;
  dgesdd: KoffiFunc<Gesdd>;
  sgeqrf: Geqrf;
  dgeqrf: Geqrf;
  sorgqr: Orgqr;
  dorgqr: Orgqr;
  sgemm: KoffiFunc<Gemm>;
  dgemm: KoffiFunc<Gemm>;
}

let library: Library | AppError | null = null;

/** Opened once in a process; a failure is kept, so that a thousand matrices do not try a thousand times. */
function openLibrary(): Library {
  library ??= loadLibrary();
  if (library instanceof AppError) throw library;
  return library;
}

function loadLibrary(): Library | AppError {
  const { openblas } = nativeStatus();
  if (!openblas.ready || !openblas.libraryPath) {
    const hint = openblas.nextStep ?? 'Run `npx rotascope doctor` to see what is missing.';
    return new AppError('COMPUTE_UNAVAILABLE', `LAPACK is not installed: ${openblas.reason ?? 'no library found'}.`, {
      hint,
    });
  }
  try {
    return bind(openblas.libraryPath);
  } catch (cause) {
    return new AppError('COMPUTE_UNAVAILABLE', `LAPACK could not be loaded from ${openblas.libraryPath}.`, {
      hint: 'Remove that folder and start again, so that it is installed anew.',
      cause,
    });
  }
}

function bind(libraryPath: string): Library {
  const handle = koffi.load(libraryPath);
  const func = (definition: string): KoffiFunction => handle.func(definition);
  const gesdd = (letter: 's' | 'd', real: string): KoffiFunc<Gesdd> =>
    func(
      `int scipy_LAPACKE_${letter}gesdd(int layout, char job, int m, int n, ${real} *a, int lda, ${real} *s, ` +
        `${real} *u, int ldu, ${real} *vt, int ldvt)`,
    ) as KoffiFunc<Gesdd>;
  const geqrf = (letter: 's' | 'd', real: string): Geqrf =>
    func(`int scipy_LAPACKE_${letter}geqrf(int layout, int m, int n, ${real} *a, int lda, ${real} *tau)`);
  const orgqr = (letter: 's' | 'd', real: string): Orgqr =>
    func(`int scipy_LAPACKE_${letter}orgqr(int layout, int m, int n, int k, ${real} *a, int lda, ${real} *tau)`);
  const gemm = (letter: 's' | 'd', real: string): KoffiFunc<Gemm> =>
    func(
      `void scipy_cblas_${letter}gemm(int layout, int transposeA, int transposeB, int m, int n, int k, ${real} alpha, ` +
        `${real} *a, int lda, ${real} *b, int ldb, ${real} beta, ${real} *c, int ldc)`,
    ) as Gemm;
  (func('void scipy_openblas_set_num_threads(int threads)') as (threads: number) => void)(1);
  return {
    libraryPath,
    configuration: (func('const char *scipy_openblas_get_config()') as () => string)().trim(),
    sgesdd: gesdd('s', 'float'),
    dgesdd: gesdd('d', 'double'),
    sgeqrf: geqrf('s', 'float'),
    dgeqrf: geqrf('d', 'double'),
    sorgqr: orgqr('s', 'float'),
    dorgqr: orgqr('d', 'double'),
    sgemm: gemm('s', 'float'),
    dgemm: gemm('d', 'double'),
  };
}

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

/** The factor of the long side takes the place of `a`; gesdd does not touch the argument that would have been it. */
function prepareInPlace<T extends RealArray>(a: T, rows: number, columns: number): GesddCall<T> {
  requireFiniteMatrix(a, rows, columns);
  const rank = Math.min(rows, columns);
  const square = newLike(a, rank * rank);
  const unused = newLike(a, 1);
  const s = newLike(a, rank);
  const wide = rows <= columns;
  return {
    out: { rows, columns, rank, s, ...(wide ? { u: square, vt: a } : { u: a, vt: square }) },
    args: [
      COLUMN_MAJOR, OVERWRITE, columns, rows, a, columns, s, wide ? unused : square, columns, wide ? square : unused, rank,
    ], // prettier-ignore
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
 * The same with less memory: `a` is destroyed and becomes `vt` (rows <= columns) or `u`. Beside it gesdd needs one square
 * of the short side for the other factor and five for its work.
 * @throws as `svd`, by rejection
 */
export async function svdInPlaceAsync<T extends RealArray>(a: T, rows: number, columns: number): Promise<Svd<T>> {
  return gesddAsync(a, prepareInPlace(a, rows, columns));
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
