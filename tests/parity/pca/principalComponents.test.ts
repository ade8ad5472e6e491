/** Principal components of hidden states against numpy: `pca/pca.safetensors`. */
import { describe, it } from 'vitest';
import type { Matrix } from '../../../main/ml/spectral/linearAlgebra.ts';
import { principalComponents, project } from '../../../main/ml/spectral/principalComponents.ts';
import { expectClose } from '../compare.ts';
import { hasFixture, readJson, readTensors, tensor, type FixtureTensor } from '../fixtures.ts';

const present = hasFixture('pca', 'pca.safetensors');
const matrixOf = ({ shape, data }: FixtureTensor): Matrix => ({ rows: shape[0]!, columns: shape[1]!, data });

describe.skipIf(!present)('principal components', () => {
  const tensors = present ? readTensors('pca', 'pca.safetensors') : new Map<string, FixtureTensor>();
  const { tolerance } = present
    ? readJson<{ tolerance: { f64: number; f32: { rtol: number; atol: number } } }>('pca', 'pca.json')
    : { tolerance: { f64: 0, f32: { rtol: 0, atol: 0 } } };
  const wanted = (name: string): Float64Array => tensor(tensors, name).data;

  it('have the mean, signs, variances and projections of the reference', async () => {
    const x = matrixOf(tensor(tensors, 'x'));
    const basis = await principalComponents(x, 2);
    const close = { atol: tolerance.f64, rtol: tolerance.f64 };
    expectClose('mean', basis.mean, wanted('mean'), close);
    expectClose('components', basis.components.data, wanted('components'), close);
    expectClose('variance', Float64Array.from(basis.variance), wanted('explained_variance'), close);
    expectClose('share', Float64Array.from(basis.explained), wanted('explained_variance_ratio'), close);
    expectClose('projection', project(x, basis).data, wanted('projection'), close);
  });

  it('of points on a line have one direction, and nothing beside it', async () => {
    const x = matrixOf(tensor(tensors, 'line_x'));
    const basis = await principalComponents(x, 2);
    expectClose('share', Float64Array.from(basis.explained), Float64Array.of(wanted('line_ratio')[0]!, 0), {
      atol: tolerance.f64,
    });
    const { data } = project(x, basis);
    const first = data.filter((_, i) => i % 2 === 0);
    expectClose('projection', first, wanted('line_projection'), { atol: tolerance.f64 });
  });
});
