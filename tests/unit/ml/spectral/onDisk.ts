/** Pairs of checkpoints on disk, compared as a job does it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ComparisonSettings } from '../../../../main/contract/spectral.ts';
import { writeCheckpoint } from '../../../../main/ml/checkpoints/writeCheckpoint.ts';
import { compareMatrix, type MatrixComparison } from '../../../../main/ml/spectral/compareStreamed.ts';
import { Decomposer } from '../../../../main/ml/spectral/decomposer.ts';
import type { MatrixLike } from '../../../../main/ml/spectral/linearAlgebra.ts';
import { openTensorSource, type TensorSource } from '../../../../main/ml/spectral/tensorSource.ts';
import type { WrittenDtype } from '../../../../main/ml/safetensors/dtypes.ts';

export const weightName = 'model.layers.0.mlp.down_proj.weight';

/** A checkpoint of one matrix; removed when the test ends. */
export async function onDisk({ rows, columns, data }: MatrixLike, dtype: WrittenDtype = 'F32'): Promise<TensorSource> {
  const folder = await mkdtemp(join(tmpdir(), 'rotascope-spectra-'));
  const weights = new Map([[weightName, { shape: [rows, columns], data: Float32Array.from(data) }]]);
  await writeCheckpoint(join(folder, 'model'), { config: { model_type: 'llama' }, weights, dtype });
  const source = await openTensorSource(join(folder, 'model'));
  onTestFinished(async () => {
    await source.close();
    await rm(folder, { recursive: true, force: true });
  });
  return source;
}

export async function compareOnDisk(
  sources: { reference: TensorSource; target: TensorSource; restoration?: TensorSource },
  { precision = 'float64', angleRank = { share: 0.5 }, seed = 0 }: Partial<ComparisonSettings> = {},
): Promise<MatrixComparison> {
  const { reference, target, restoration = null } = sources;
  const decomposer = new Decomposer({ precision, cache: null });
  const weight = reference.targets[0]!;
  const factors = {
    reference: await decomposer.factorisation(reference, weight.name),
    target: await decomposer.factorisation(target, weight.name),
  };
  return compareMatrix({ weight, factors, reference, target, restoration }, { angleRank, seed });
}
