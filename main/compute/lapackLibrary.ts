/**
 * The functions of OpenBLAS with LAPACKE (PyPI `scipy-openblas32`) that are used here, as koffi calls them. One thread in BLAS:
 * see `lapack.ts`.
 */
import type { KoffiFunc, LibraryHandle } from 'koffi';
import { nativeStatus } from '../bootstrap/native.mjs';
import { AppError } from '../contract/errors.ts';
import koffi from './koffi.ts';

export type RealArray = Float32Array | Float64Array;

type KoffiFunction = ReturnType<LibraryHandle['func']>;

export type Gesdd = (
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
type Gemm = (...scalarsAndArrays: (number | RealArray)[]) => void;
/** Transposes within the array. */
type Imatcopy = (
  layout: number,
  transpose: number,
  rows: number,
  columns: number,
  alpha: number,
  a: RealArray,
  lda: number,
  ldb: number,
) => void;

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
  simatcopy: KoffiFunc<Imatcopy>;
  dimatcopy: KoffiFunc<Imatcopy>;
}

let library: Library | AppError | null = null;

/** Opened once in a process; a failure is kept, so that a thousand matrices do not try a thousand times. */
export function openLibrary(): Library {
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
    ) as KoffiFunc<Gemm>;
  const imatcopy = (letter: 's' | 'd', real: string): KoffiFunc<Imatcopy> =>
    func(
      `void scipy_cblas_${letter}imatcopy(int layout, int transpose, int rows, int columns, ${real} alpha, ${real} *a, ` +
        `int lda, int ldb)`,
    ) as KoffiFunc<Imatcopy>;
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
    simatcopy: imatcopy('s', 'float'),
    dimatcopy: imatcopy('d', 'double'),
  };
}
