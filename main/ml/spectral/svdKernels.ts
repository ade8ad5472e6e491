/** What can compute a large SVD here, fastest first; when one fails on a matrix, the next one takes it. */
import { findTensorflow } from '../../compute/nativeTensorflow.ts';
import { lapackStatus, svdInPlaceAsync, type RealArray, type Svd } from '../../compute/lapack.ts';
import { tensorflowSvd } from '../../compute/tensorflowSvd.ts';
import type { Precision } from '../../contract/spectral.ts';
import { plainSvd, type Matrix } from './linearAlgebra.ts';

/** Thin SVD of a finite matrix; the contents of `data` are lost. @throws COMPUTE_FAILED */
export interface SvdKernel {
  name: 'tensorflow-gpu' | 'openblas' | 'typescript';
  svd<T extends RealArray>(matrix: Matrix<T>): Promise<Svd<T>>;
}

const openblas: SvdKernel = {
  name: 'openblas',
  svd: ({ rows, columns, data }) => svdInPlaceAsync(data, rows, columns),
};
const typescript: SvdKernel = {
  name: 'typescript',
  svd: ({ rows, columns, data }) => Promise.resolve(plainSvd(data, rows, columns)),
};

/** TensorFlow computes float32 on an NVIDIA GPU, LAPACK everything on the CPU; Jacobi needs neither. */
export async function svdKernels(precision: Precision): Promise<SvdKernel[]> {
  const kernels = lapackStatus().ready ? [openblas, typescript] : [typescript];
  if (precision === 'float32' && hasCudaTensorflow()) {
    const { openCompute } = await import('../../compute/compute.ts');
    const { tf, provenance } = await openCompute();
    if (provenance['device'] === 'gpu')
      kernels.unshift({
        name: 'tensorflow-gpu',
        svd: <T extends RealArray>({ rows, columns, data }: Matrix<T>) =>
          Promise.resolve(tensorflowSvd(tf, data as Float32Array, rows, columns) as Svd<T>),
      });
  }
  return kernels;
}

/** The CUDA build is what the bootstrap offers once its self-test has passed on this GPU. */
function hasCudaTensorflow(): boolean {
  try {
    return findTensorflow().variant === 'cuda';
  } catch {
    return false;
  }
}
